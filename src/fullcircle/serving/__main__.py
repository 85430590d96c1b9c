"""`python -m fullcircle.serving`: the command `serve`."""

import sys

from .command import main

if __name__ == "__main__":  # not in workers, which import it again
    main(sys.argv[1:])
