# Which layers a layer may include, and so link with. A single header is named by its path. Read by the Makefile (what a
# program or a unit test links) and by check_includes.awk (which fails the build).
USES_base :=
USES_term := base
USES_rpc := base
USES_agent := base term/text.h term/width.h
USES_config := base
USES_policy := base config agent
USES_store := base config
USES_runner := base config
USES_replay := base term store
USES_keeper := base
USES_host := base term rpc agent config policy store runner
USES_cli := base config rpc store runner policy/errors.h
USES_tui := base config rpc store/session_dir.h store/session_shown.h store/ledger.h term/key.h term/width.h
USES_main := base cli tui
