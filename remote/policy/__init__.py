"""The policy inside the agent: what its tools may do. Standard library only; Python 3.10 on."""
