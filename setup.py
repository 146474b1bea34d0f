"""Builds the compiled kernels where there is a compiler; without one, sknn computes with NumPy alone."""

import os
import platform
import sys
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("sknn/ops/_kernels")
SEVERAL_SETS = platform.machine().lower() in ("x86_64", "amd64") and sys.platform != "win32"
SETS = ["baseline", "avx2", "avx512"] if SEVERAL_SETS else ["baseline"]


class BuildKernels(build_ext):
    """Tries with OpenMP, then without, then gives up with a notice."""

    def build_extension(self, extension):
        flags = [
            "-std=c++17",
            os.environ.get("SKNN_OPTIMISE", "-O3"),
            "-ffp-contract=fast",
            "-fno-math-errno",
            "-Wno-psabi",
            "-Wno-ignored-attributes",
        ]
        for threads in (["-fopenmp"], []):
            extension.extra_compile_args = flags + threads
            extension.extra_link_args = threads
            try:
                super().build_extension(extension)
                print(f"sknn: compiled kernels built for {', '.join(SETS)}, {'with' if threads else 'without'} OpenMP")
                return
            except Exception as error:
                reason = error
        print(f"sknn: NO COMPILED KERNELS: no C++ compiler did it ({reason}). NumPy will do all the work, more slowly.")


setup(
    ext_modules=[
        Extension(
            "sknn.ops._kernels._native",
            sources=[str(SOURCES / f"{name}.cpp") for name in ("module", *SETS)],
            depends=[str(path) for path in sorted(SOURCES.glob("*.hpp"))],
            include_dirs=[numpy.get_include()],
            define_macros=[("SEVERAL_SETS", None)] if SEVERAL_SETS else [],
            language="c++",
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernels},
)
