"""Everything that is written down: the audit log, keys, reviews. Rows never leave this room.

One method is one transaction. No other room may import SQLAlchemy, a driver or `cryptography`.
"""
