"""Wardgate's package: a guarded way to self-hosted language models. Import the module you need, never this."""

__version__ = "0.1.0"
