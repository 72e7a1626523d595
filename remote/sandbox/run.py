"""Starts the keeper. Alone in this file, since Python compiles the file that it is given each time
anew; the others are compiled when the socket starts."""

import os
import sys

# -I leaves it out.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import keeper

keeper.main()
