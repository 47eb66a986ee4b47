// Finding one's own child processes, from /proc (Linux) or ps (elsewhere). Signals nothing.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';

/** Pids of living children of `parent` whose program is `name`, oldest first. */
export function childrenNamed(parent, name) {
  return processes()
    .filter((process) => process.parent === parent && process.name === name && process.state !== 'Z')
    .map((process) => process.pid)
    .sort((a, b) => a - b);
}

/** A killed process whose parent has not noticed yet (a zombie) is not alive. */
export function isAlive(pid) {
  return processes().some((process) => process.pid === pid && process.state !== 'Z');
}

function processes() {
  let pids;
  try {
    pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return execFileSync('ps', ['-axo', 'pid=,ppid=,stat=,comm='], { encoding: 'utf8' })
      .split('\n')
      .map((line) => /^\s*(\d+)\s+(\d+)\s+(\S)\S*\s+(?:.*\/)?(.+)$/.exec(line))
      .filter(Boolean)
      .map(([, pid, parent, state, name]) => ({ pid: Number(pid), parent: Number(parent), state, name }));
  }
  return pids.flatMap((pid) => {
    try {
      // "pid (name) state ppid …"; the name may hold spaces and brackets, so split at the last one.
      const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
      const end = line.lastIndexOf(')');
      const [state, parent] = line.slice(end + 2).split(' ');
      return [{ pid: Number(pid), parent: Number(parent), state, name: line.slice(line.indexOf('(') + 1, end) }];
    } catch {
      return [];
    }
  });
}
