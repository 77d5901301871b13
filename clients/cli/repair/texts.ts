// The texts of backup, restore, recover, replace and restart, in English and Portuguese.

import { sayIn } from '../texts.js'

const TEXTS = {
  backedUp: [
    '{file}: {index} entries up to {time}, from the file of {from}; {keys}',
    '{file}: {index} entradas até {time}, do ficheiro de {from}; {keys}',
  ],
  withKeys: [
    'with the private keys of the cluster: keep it as safe as certificates/',
    'com as chaves privadas do cluster: guarde-o como a certificates/',
  ],
  withoutKeys: [
    'without keys: a restored cluster gets new ones',
    'sem chaves: um cluster reposto recebe novas',
  ],
  unfit: ['not used: {reason}', 'não usado: {reason}'],
  verified: [
    '{file} is whole: cluster {clusterId}, history {historyId}, {index} entries up to {time}, made {made}; {keys}',
    '{file} está completo: cluster {clusterId}, história {historyId}, {index} entradas até {time}, feito em {made}; {keys}',
  ],
  ofThis: ['It is of the cluster in {dir}.', 'É do cluster em {dir}.'],
  ofEarlier: [
    'It is of an earlier history of the cluster in {dir}.',
    'É de uma história anterior do cluster em {dir}.',
  ],
  ofAnother: ['It is not of the cluster in {dir}.', 'Não é do cluster em {dir}.'],
  restoreLoses: [
    'A cluster made from it in {dir} has nothing that was stored after that; clients are told so. No replica of the lost cluster may go on beside it at the same addresses.',
    'Um cluster feito dele em {dir} não tem nada do que foi guardado depois; os clientes são avisados. Nenhuma réplica do cluster perdido pode continuar ao lado, nos mesmos endereços.',
  ],
  restored: [
    'restored in {dir}: history {historyId}. Next: troca up',
    'reposto em {dir}: história {historyId}. A seguir: troca up',
  ],
  newAuthority: [
    'The backup has no keys, so the cluster has a new authority: give every client the new {file}.',
    'A cópia não tem chaves, por isso o cluster tem nova autoridade: dê a cada cliente o novo {file}.',
  ],
  keeps: [
    'kept: the log of {kept}, {last} entries up to {time}',
    'fica: o registo de {kept}, {last} entradas até {time}',
  ],
  fileSame: ['{name}: the same {common} entries', '{name}: as mesmas {common} entradas'],
  fileBehind: [
    '{name}: {last} entries, all of them in the kept log',
    '{name}: {last} entradas, todas no registo que fica',
  ],
  fileBeyond: [
    '{name}: {last} entries; {count} of them, from entry {first} on, are NOT in the kept log',
    '{name}: {last} entradas; {count} delas, a partir da entrada {first}, NÃO estão no registo que fica',
  ],
  fileUnfit: ['{name}: not used: {reason}', '{name}: não usado: {reason}'],
  complete: [
    'Every acknowledged message is in the kept log, unless files were put back from older copies.',
    'Cada mensagem confirmada está no registo que fica, salvo se ficheiros foram repostos de cópias mais velhas.',
  ],
  incomplete: [
    'Too few files bear this log out: acknowledged messages that are only in the others may be gone.',
    'Poucos ficheiros confirmam este registo: mensagens confirmadas que só os outros têm podem perder-se.',
  ],
  setsTime: [
    'Orders go on at {time}; the last one was of {before}. Messages that are stored keep their times, and invitations their ends.',
    'As ordens continuam em {time}; a última era de {before}. As mensagens guardadas mantêm a hora, e os convites o fim.',
  ],
  recoverActs: [
    'All persistence replicas get that log, in a new history; the files of before go to a folder in {dir}. Clients are told so: unanswered sends may be stored or not.',
    'Todas as réplicas de persistência recebem esse registo, numa história nova; os ficheiros de antes vão para uma pasta em {dir}. Os clientes são avisados: envios sem resposta podem estar guardados ou não.',
  ],
  recovered: [
    'recovered: history {historyId}; the files of before are in {before}. Next: troca up; replicas of other machines first get cluster.yaml and their data/sN.db from here',
    'recuperado: história {historyId}; os ficheiros de antes estão em {before}. A seguir: troca up; réplicas de outras máquinas recebem antes cluster.yaml e o seu data/sN.db daqui',
  ],
  replaceActs: [
    '{name} begins anew with a certificate of its own; the one of before is refused for ever. Its file, if it is here, is set aside: what no other replica holds is lost.',
    '{name} recomeça com um certificado novo; o de antes é recusado para sempre. O seu ficheiro, se estiver aqui, fica de lado: perde-se o que nenhuma outra réplica tem.',
  ],
  replaceNeeds: [
    'only {running} of the other persistence replicas serve, and {needed} are needed for {name} to catch up. Start them, or: troca recover',
    'só {running} das outras réplicas de persistência servem, e {name} precisa de {needed} para recuperar. Arranque-as, ou: troca recover',
  ],
  replaced: [
    '{name} is replaced: generation {generation}, at {host}:{port}',
    '{name} foi substituída: geração {generation}, em {host}:{port}',
  ],
  replacedBefore: ['its file of before: {before}', 'o seu ficheiro de antes: {before}'],
  replacedNext: [
    'Next: put cluster.yaml, ca.pem, certificates/{name}.pem and certificates/{name}.key on its machine and cluster.yaml on all others, and start it (here: troca up)',
    'A seguir: ponha cluster.yaml, ca.pem, certificates/{name}.pem e certificates/{name}.key na sua máquina e cluster.yaml em todas as outras, e arranque-a (aqui: troca up)',
  ],
  joined: ['{name} has caught up and serves', '{name} recuperou e serve'],
  mustStop: [
    'the cluster runs; stop it first: troca down',
    'o cluster está a correr; pare-o antes: troca down',
  ],
  mustRun: [
    'no replica of this folder runs under troca up; start them: troca up',
    'nenhuma réplica desta pasta corre com troca up; arranque-as: troca up',
  ],
  notAllReady: [
    '{name} does not serve ({reason}); a rolling restart needs all of them. Try: troca doctor',
    '{name} não serve ({reason}); um reinício sucessivo precisa de todas. Tente: troca doctor',
  ],
  restarting: ['restarting {name}', 'a reiniciar {name}'],
  notBack: [
    '{name} was restarted and does not serve after {seconds} s ({reason}); nothing else was restarted. Try: troca doctor',
    '{name} foi reiniciada e não serve ao fim de {seconds} s ({reason}); mais nenhuma foi reiniciada. Tente: troca doctor',
  ],
  allRestarted: [
    'restarted one after the other, each caught up: {names}',
    'reiniciadas uma após outra, cada uma recuperada: {names}',
  ],
  onlyRolling: [
    'restart needs --rolling; to stop all at once: troca down, troca up',
    'restart precisa de --rolling; para parar tudo de uma vez: troca down, troca up',
  ],
  levelSet: [
    '{name} logs {level} within a second; kept in cluster.yaml',
    '{name} passa a registar {level} dentro de um segundo; fica em cluster.yaml',
  ],
  notHere: [
    '{name} does not run here under troca up; on its machine: kill -USR2 PID',
    '{name} não corre aqui com troca up; na sua máquina: kill -USR2 PID',
  ],
  leadsNot: ['{name} does not coordinate; {leads} does', '{name} não coordena; {leads} coordena'],
  resigned: ['{name} has resigned; {now} coordinates', '{name} cedeu; {now} coordena'],
  nobodyLeads: [
    '{name} has resigned, and no other replica has begun to coordinate. Try: troca status',
    '{name} cedeu, e nenhuma outra réplica começou a coordenar. Tente: troca status',
  ],
  confirm: ['Go on? Type yes: ', 'Continuar? Escreva sim: '],
  needsYes: [
    'there is no terminal to ask at: add --yes to go on',
    'não há terminal onde perguntar: junte --yes para continuar',
  ],
  notDone: ['nothing was changed', 'nada foi alterado'],
  badTime: [
    '--set-time {time}: a date such as 2026-11-30T12:00Z is needed, or now',
    '--set-time {time}: é precisa uma data como 2026-11-30T12:00Z, ou now',
  ],
} as const satisfies Record<string, readonly [en: string, pt: string]>

export function say(
  name: keyof typeof TEXTS,
  values: Record<string, string | number> = {},
): string {
  return sayIn(TEXTS, name, values)
}
