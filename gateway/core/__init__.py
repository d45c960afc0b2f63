"""The words and the pure rules on them. Standard library only, no I/O."""
