# Builds the bare repository of the agent from its source archives: one commit and one annotated tag
# each. Arguments: the tools' bin directory, a scratch directory, the repository to make, then for
# each release its version, its tag and its date. Author and dates are fixed: the same archives make
# the same commits.
set -eu
tools=$1 scratch=$2 repository=$3
shift 3
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1
export GIT_AUTHOR_NAME='Lab' GIT_AUTHOR_EMAIL='lab@example.com'
export GIT_COMMITTER_NAME='Lab' GIT_COMMITTER_EMAIL='lab@example.com'
export UV_SYSTEM_CERTS=1 UV_PYTHON_DOWNLOADS=never UV_HTTP_RETRIES=5

git init --quiet --initial-branch=main "$scratch/tree"
while [ $# -ge 3 ]; do
	version=$1 tag=$2 date=$3
	shift 3
	"$tools/pip" download --quiet --no-deps --no-binary :all: --dest "$scratch/archives" "hermes-agent==$version"
	# Each release is the whole tree again.
	find "$scratch/tree" -mindepth 1 -maxdepth 1 ! -name .git -exec rm -rf {} +
	tar --extract --gzip --file "$scratch/archives/hermes_agent-$version.tar.gz" --directory "$scratch/tree" \
		--strip-components=1 --no-same-owner
	# What packing added; the project's own repository has none of it, and has a lock file.
	rm -rf "$scratch/tree/PKG-INFO" "$scratch/tree"/*.egg-info
	"$tools/uv" lock --quiet --python /usr/bin/python3 --directory "$scratch/tree"
	export GIT_AUTHOR_DATE="$date" GIT_COMMITTER_DATE="$date"
	git -C "$scratch/tree" add --all --force
	git -C "$scratch/tree" commit --quiet --message "Release $version"
	git -C "$scratch/tree" tag --annotate --message "Hermes Agent $version ($tag)" "$tag"
done
git clone --quiet --bare "$scratch/tree" "$scratch/bare.git"
# As the real one allows: partial clones, and fetching any commit by its name.
git -C "$scratch/bare.git" config uploadpack.allowFilter true
git -C "$scratch/bare.git" config uploadpack.allowAnySHA1InWant true
git -C "$scratch/bare.git" remote remove origin
# One pack, or every clone pays for finding the deltas again.
git -C "$scratch/bare.git" repack -a -d -q
mkdir -p "$(dirname "$repository")"
mv "$scratch/bare.git" "$repository"
