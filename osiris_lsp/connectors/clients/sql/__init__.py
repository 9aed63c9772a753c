"""SQL: pools of connections, reading and writing, fail-over."""
