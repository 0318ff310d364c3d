from shared.installed import require_installation

require_installation()
