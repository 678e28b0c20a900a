//! What the help says around the options.

/// How `run` is written.
pub(super) const RUN_USAGE: &str = "\
curio-host [run] [OPTIONS] APP.WASM [ARGS…]
       curio-host compile [-o OUT] APP.WASM";

/// The end of `-h`.
pub(super) const RUN_AFTER: &str = "\
Options stand before the component; everything behind it is the guest's.
See --help for examples and exit codes.";

/// The end of `--help`.
pub(super) const RUN_AFTER_LONG: &str = "\
Commands:
  run       Run a component; the word may be left out. A file of this name is ./run
  compile   Compile a component to native code; see curio-host compile --help

Examples:
  curio-host app.wasm --verbose
      Run a component that may use its standard streams and clocks only;
      --verbose is for the component.

  curio-host --allow-listen=127.0.0.1:8080 --dir ./public::/www::ro server.wasm
      A server that reads files.

  curio-host --allow-net=api.example.com:443 --env API_KEY client.wasm
      A client of one service, with a variable of yours.

  curio-host --allow-listen=0.0.0.0:443 --tls-identity site=site.pem,site.key server.wasm
      A TLS server, whose key the component can use but not read.

  curio-host --inherit-sockets server.wasm
      A service of systemd's, with a socket unit of the same name.

  curio-host --allow-run=git,make --max-processes=8 builder.wasm
      A program that runs others, eight at a time at the most.

  curio-host --max-memory=64MiB --max-cpu-time=10s --max-time=1m untrusted.wasm
      Somebody else's program, held to limits.

  curio-host --permissions app.toml app.wasm
      With app.toml:
        allow-net = [\"api.example.com:443\"]
        dir = [\"./data::/data\", \"./assets::/assets::ro\"]
        env = [\"LANG=C\"]

Exit codes:
  the guest's own if it exits, or else
  1    something is wrong with the component or another file
  2    something is wrong with the command line
  124  the guest passed a limit
  134  the guest faulted: a panic, a stack overflow or the like
  130  it was ended by SIGINT: the first cancels its main task, a second one ends it
  143  it was ended by SIGTERM, likewise";

/// How `compile` is written.
pub(super) const COMPILE_USAGE: &str = "curio-host compile [-o OUT] APP.WASM";

/// The end of `compile --help`.
pub(super) const COMPILE_AFTER: &str = "\
Example:
  curio-host compile app.wasm && curio-host --allow-precompiled app.cwasm";
