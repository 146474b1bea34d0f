"""Builds the compiled kernels where there is a compiler; without one, sknn computes with NumPy alone."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

SOURCES = Path("sknn/ops/_kernels")
# From old to new processors: of what several files hold of the standard library, linkers keep the first.
FILES = ["module", "threads", "baseline", "avx2", "avx512"]
FLAGS = [
    "-std=c++17",
    *os.environ.get("SKNN_OPTIMISE", "-O3 -g0").split(),
    "-ffp-contract=fast",
    "-fno-math-errno",
    "-fvisibility=hidden",
    "-Wno-psabi",
    "-Wno-ignored-attributes",
]


class BuildKernels(build_ext):
    """Tries with OpenMP, then without, then gives up with a notice."""

    def build_extension(self, extension):
        built = Path(self.get_ext_fullpath(extension.name))
        built.unlink(missing_ok=True)  # lest one of an earlier build be installed where this one fails
        if self.compiler.compiler_type == "msvc":
            return give_up("they need a compiler with the vectors of GCC, which MSVC has not")
        compile_side_by_side(self.compiler)
        for threads in (["-fopenmp"], []):
            extension.extra_compile_args = FLAGS + threads
            extension.extra_link_args = threads
            try:
                super().build_extension(extension)
                print(f"sknn: compiled kernels built, {'with' if threads else 'without'} OpenMP")
                return None
            except Exception as error:
                reason = error
        return give_up(f"no C++ compiler did it ({reason})")


def compile_side_by_side(compiler):
    """Each file on a thread of its own: it is another process that compiles. The linker gets them as FILES has them."""
    one_by_one = compiler.compile

    def compile_all(sources, **options):
        in_order = sorted(sources, key=lambda source: FILES.index(Path(source).stem))
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return list(chain.from_iterable(pool.map(lambda source: one_by_one([source], **options), in_order)))

    compiler.compile = compile_all


def give_up(reason):
    print(f"sknn: NO COMPILED KERNELS: {reason}. NumPy will do all the work, more slowly.")


setup(
    ext_modules=[
        Extension(
            "sknn.ops._kernels._native",
            sources=[str(SOURCES / f"{name}.cpp") for name in FILES],
            depends=[str(path) for path in sorted(SOURCES.glob("*.hpp"))],
            include_dirs=[numpy.get_include()],
            language="c++",
            optional=True,
        )
    ],
    cmdclass={"build_ext": BuildKernels},
)
