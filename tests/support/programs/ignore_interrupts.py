"""Runs a command with SIGINT ignored, as a shell does for a command in the background.

Arguments: the command.
"""

import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_IGN)
os.execvp(sys.argv[1], sys.argv[1:])
