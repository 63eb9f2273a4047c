"""ganger for the multiplexer benchmark: name this file in MUXBENCH_ADAPTERS. GANGER names the program (build/ganger)."""
import json
import os

from adapters import FKEYS, SCROLL, Adapter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


class Ganger(Adapter):
    name = "ganger"
    exe = os.environ.get("GANGER", os.path.join(ROOT, "build", "ganger"))
    detachable = True
    layouts = ("hidden", "visible")

    @classmethod
    def path(cls):
        return cls.exe if os.path.exists(cls.exe) else None

    @classmethod
    def version(cls):
        return cls._ver("--version")

    def configure(self, layout):
        for folder in ("r", "s", "c"):
            os.makedirs(os.path.join(self.dir, folder), mode=0o700, exist_ok=True)
        self.env.update(GANGER_RUNTIME_DIR=os.path.join(self.dir, "r"), GANGER_STATE_DIR=os.path.join(self.dir, "s"),
                        GANGER_CONFIG_DIR=os.path.join(self.dir, "c"))
        self.write("c/config.json", json.dumps({
            "layout": "tiled" if layout == "visible" else "zoomed",
            "limits": {"scrollback_lines": SCROLL},
            "keys": {f"focus-{k + 1}": f"F{k + 1}" for k in range(len(FKEYS))}}))

    def start(self, index, cmd):
        r = self.run(self.path(), "run", "-d", "-n", f"s{index}", "--size", "200x50", "--", *cmd)
        if r.returncode != 0:
            raise OSError(r.stderr.decode())

    def single(self, cmd):
        self.configure("hidden")
        return [self.path(), "run", "-n", "s0", "--", *cmd]

    def warm(self, cmd):
        return [self.path(), "run", "-n", "s1", "--", *cmd]

    def prepare(self, cmds, layout):
        self.configure(layout)
        for k, cmd in enumerate(cmds):
            self.start(k, cmd)
        return self.attach()

    def attach(self):
        return [self.path(), "attach", "s0"]
