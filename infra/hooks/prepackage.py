"""Before `azd package`, `deploy` and `up`: builds and checks what is uploaded."""

from hook import build_package

build_package()
