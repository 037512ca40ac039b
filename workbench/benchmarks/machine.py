"""The machine that the figures were measured on."""

import os
import platform
import re
from pathlib import Path


def machine() -> dict[str, str]:
    """Processor, cores, memory, operating system and Python version, as text."""
    cpu = re.search(r"model name\s*: (.+)", Path("/proc/cpuinfo").read_text())
    memory = re.search(r"MemTotal:\s+(\d+) kB", Path("/proc/meminfo").read_text())
    return {
        "processor": cpu[1] if cpu else platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory[1]) / 1024**2:.0f} GiB" if memory else "unknown",
        "system": f"{_distribution()}, Linux {platform.release().partition('-')[0]}",
        "python": platform.python_version(),
    }


def _distribution() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", "Linux")
