"""`python -m lossport`."""

import sys

from lossport.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
