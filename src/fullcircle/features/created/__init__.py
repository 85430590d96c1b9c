"""Created features: every public function of a module of this folder is one, under its own name.

Put yours in a module of your own beside this file. An argument's name is the column it takes: float64 with NaN for
null, object of str with None, or datetime64[s] with NaT. It returns one value a row, of one of these types, and may
use the values of its own row only: its value for a row must not depend on the other rows.
"""
