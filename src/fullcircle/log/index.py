"""The index by record: made when somebody looks a record up, and not while requests are answered."""

from __future__ import annotations

import orjson
import sqlalchemy as sql

from .database import BLOCKS, RECORDS, insert_new

AT_ONCE = 20  # blocks of one transaction


def index_new(engine: sql.Engine) -> None:
    """Add the blocks that are not in `records` yet. Several may do so at the same time."""
    query = sql.select(BLOCKS.c.id, BLOCKS.c.row_keys).where(sql.not_(BLOCKS.c.indexed)).order_by(BLOCKS.c.id)
    while True:
        with engine.connect() as connection:
            blocks = connection.execute(query.limit(AT_ONCE)).all()
        if not blocks:
            return
        rows = [
            {"record": key, "block": block, "place": at}
            for block, keys in blocks
            for at, key in enumerate(orjson.loads(keys))
            if key is not None
        ]
        with engine.begin() as connection:
            insert_new(connection, RECORDS, rows)
            names = [block for block, _ in blocks]
            connection.execute(sql.update(BLOCKS).where(BLOCKS.c.id.in_(names)).values(indexed=True))
