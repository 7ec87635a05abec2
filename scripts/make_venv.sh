# Make a virtual environment with the first Python that is 3.11 or newer.
#
#     sh scripts/make_venv.sh FOLDER [PYTHON]
set -eu

folder=$1
candidates=${2:-python3 python3.14 python3.13 python3.12 python3.11 python}
without_venv=

for python in $candidates; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
    # Debian splits these two off the rest of Python.
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then
        echo "$folder: made with $("$python" --version) ($python)"
        "$python" -m venv --clear "$folder" || { rm -rf "$folder"; exit 1; }
        exit
    fi
    without_venv=${without_venv:-$python}
done

if [ -n "$without_venv" ]; then
    version=$("$without_venv" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
    echo "gptviz: $without_venv has no venv module: on Debian or Ubuntu, apt-get install python$version-venv." >&2
else
    echo "gptviz: no Python 3.11 or newer among: $candidates. Install one, or say PYTHON=/path/to/python3." >&2
fi
exit 1
