"""The edge: parse, call one service, render. Decides nothing."""
