# shellcheck shell=bash disable=SC2154
# The manifests for Kubernetes, by its own tool and the schemas of its API. Sourced by packaging/try.

try_manifests() {
  step 'Debian packages for this part' install_packages nodejs python3-yaml
  command -v kubectl >/dev/null || step 'kubectl' install_packages kubernetes-client
  step 'schemas of the API (npm: kubernetes-models, @kubernetes-models/prometheus-operator)' manifest_schemas
  step 'kustomize puts the base together' kustomized "$scratch/base.yaml" base
  step 'the base is valid' manifests_valid "$scratch/base.yaml"
  step 'kustomize puts the base and every component together' kustomized "$scratch/all.yaml" base map counters pod-monitor
  step 'they are valid' manifests_valid "$scratch/all.yaml"
  step 'the pod has NET_ADMIN alone, a read-only root, and no token' pod_is_bare "$scratch/base.yaml" NET_ADMIN
  step 'with the map it has BPF as well' pod_is_bare "$scratch/all.yaml" NET_ADMIN,BPF
  sed 's/hostNetwork: true/hostNetwork: "yes"/' "$scratch/base.yaml" >"$scratch/broken.yaml"
  refused 'the schema sees a text in the place of a truth value' '/spec/template/spec/hostNetwork' manifests_valid "$scratch/broken.yaml"
  sed 's/terminationGracePeriodSeconds/terminationGracePeriod/' "$scratch/base.yaml" >"$scratch/unknown.yaml"
  refused 'the schema sees a field that there is none of' 'terminationGracePeriod: no such field' manifests_valid "$scratch/unknown.yaml"
}

manifest_schemas() {
  [ -d "$cache/npm/node_modules/@kubernetes-models/prometheus-operator" ] && [ -d "$cache/npm/node_modules/kubernetes-models" ] ||
    npm install --silent --no-fund --no-audit --ignore-scripts --omit=optional --prefix "$cache/npm" kubernetes-models@5.1.0 \
      @kubernetes-models/prometheus-operator@6.0.0 re2-wasm@1.0.2
}

# kustomized OUTPUT BASE COMPONENT...
kustomized() {
  local output=$1 directory component
  shift
  directory=$(mktemp -d "$scratch/kustomize-XXXX")
  cp -r packaging/kubernetes/. "$directory"
  printf 'apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources: [%s]\n' "$1" >"$directory/kustomization.yaml"
  shift
  if [ $# -gt 0 ]; then
    printf 'components:\n' >>"$directory/kustomization.yaml"
    for component; do printf '  - %s\n' "$component" >>"$directory/kustomization.yaml"; done
  fi
  kubectl kustomize "$directory" >"$output"
}

manifests_valid() { node packaging/lib/check-manifests.mjs "$cache/npm" <(yaml_as_json "$1"); }

yaml_as_json() { python3 -c 'import json, sys, yaml; print(json.dumps(list(yaml.safe_load_all(open(sys.argv[1])))))' "$1"; }

pod_is_bare() {
  yaml_as_json "$1" | python3 -c '
import json, sys
pod = next(document for document in json.load(sys.stdin) if document["kind"] == "DaemonSet")["spec"]["template"]["spec"]
context = pod["containers"][0]["securityContext"]
assert context["capabilities"] == {"drop": ["ALL"], "add": sys.argv[1].split(",")}, context
assert context["readOnlyRootFilesystem"] and not context["allowPrivilegeEscalation"] and not pod["automountServiceAccountToken"]
' "$2"
}
