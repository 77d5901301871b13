// Sets the level of one replica's log in the cluster file, which a running replica takes up by itself.

import { changeClusterFile } from './cluster-file.js'
import { checkConfig, readConfig } from './config.js'
import { nameOf } from '../net/identity.js'

/** Throws before anything is changed if the name or the level is none. */
export async function setLogLevel(
  configFile: string,
  name: string,
  level: string,
): Promise<{ readonly name: string; readonly level: string }> {
  const all = readConfig(configFile, {}).replicas.map(nameOf)
  if (!all.includes(name))
    throw new Error(`${name} is no replica of this cluster; its replicas are ${all.join(', ')}`)
  changeClusterFile(configFile, (document) => {
    document.setIn(['log', 'levels', name], level)
    checkConfig(document.toJS(), configFile)
  })
  return Promise.resolve({ name, level })
}
