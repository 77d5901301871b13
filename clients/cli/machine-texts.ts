// Texts about machines: bundles, joining, the authority, and what a command has not seen. In English and Portuguese.

import { sayIn } from './texts.js'

const TEXTS = {
  isUpHere: [
    'the replicas of {machine} run: {names}. The cluster does not serve yet: start the other machines. {missing}',
    'as réplicas de {machine} correm: {names}. O cluster ainda não serve: inicie as outras máquinas. {missing}',
  ],
  speaksFor: [
    'machine {machine}: {own}; on other machines: {others}',
    'máquina {machine}: {own}; noutras máquinas: {others}',
  ],
  noSuchMachine: [
    'cluster.yaml has no replica on a machine {machine}; machines: {machines}',
    'cluster.yaml não tem réplicas numa máquina {machine}; máquinas: {machines}',
  ],
  whichMachine: [
    'no address of cluster.yaml is one of this machine; say which it is: --machine, one of {machines}',
    'nenhum endereço de cluster.yaml é desta máquina; diga qual é: --machine, uma de {machines}',
  ],
  noSuchReplica: [
    'cluster.yaml has no replica {name}; replicas: {names}',
    'cluster.yaml não tem a réplica {name}; réplicas: {names}',
  ],
  ownOnly: [
    'no processing replica answers. Replicas of this machine: {states}.',
    'nenhuma réplica de processamento responde. Réplicas desta máquina: {states}.',
  ],
  headMachine: ['machine', 'máquina'],
  bundled: [
    '{file}: the folder of machine {machine}, with the keys of {names}. Carry it there, and there: troca join FILE; then delete it here and there',
    '{file}: a pasta da máquina {machine}, com as chaves de {names}. Leve-o para lá, e lá: troca join FICHEIRO; depois apague-o aqui e lá',
  ],
  bundledLearner: [
    'no empty store for {names}: it was handed out, or has entries. Such a replica starts without its file, and gets everything from the others',
    'sem ficheiro vazio para {names}: já foi entregue, ou tem entradas. Essa réplica começa sem ficheiro, e recebe tudo das outras',
  ],
  bundledClient: [
    '{file}: the folder of a client, without secrets: troca join FILE',
    '{file}: a pasta de um cliente, sem segredos: troca join FICHEIRO',
  ],
  bundleWhat: [
    'name a machine of cluster.yaml, or --client',
    'indique uma máquina de cluster.yaml, ou --client',
  ],
  notBundle: [
    '{file} is no bundle of Troca: {reason}',
    '{file} não é um pacote do Troca: {reason}',
  ],
  folderInUse: [
    '{dir} has files in it; choose another folder by --dir, or move that one away',
    '{dir} tem ficheiros; escolha outra pasta com --dir, ou mova essa',
  ],
  joinedMachine: [
    '{dir}: the folder of machine {machine}, with {names}. Start them: troca up, or troca service install',
    '{dir}: a pasta da máquina {machine}, com {names}. Inicie-as: troca up, ou troca service install',
  ],
  joinedClient: [
    '{dir}: a client of cluster {cluster}. Next: troca register NAME',
    '{dir}: um cliente do cluster {cluster}. A seguir: troca register NOME',
  ],
  storesLeftOut: [
    'the cluster has run already: {names} starts without a file, and gets everything from the others',
    'o cluster já funcionou: {names} começa sem ficheiro, e recebe tudo das outras',
  ],
  storesKept: [
    'no processing replica answers, so this is taken for the first start of {names}. If the cluster has run before, delete {files} before the start',
    'nenhuma réplica de processamento responde: supõe-se que é o primeiro início de {names}. Se o cluster já funcionou, apague {files} antes de iniciar',
  ],
  fewServers: [
    '{known} of {all} processing replicas are known here: name the addresses of all, or this client stands still when those fail',
    '{known} de {all} réplicas de processamento são conhecidas aqui: indique os endereços de todas, ou este cliente para quando essas falharem',
  ],
  authorityIs: [
    'fingerprint of the authority (SHA-256): {fingerprint}',
    'impressão digital da autoridade (SHA-256): {fingerprint}',
  ],
  confirmAuthority: [
    'Compare it with what troca init printed, or: openssl x509 -in ca.pem -noout -fingerprint -sha256. Is it the same? Type yes to go on: ',
    'Compare com o que troca init mostrou, ou: openssl x509 -in ca.pem -noout -fingerprint -sha256. É igual? Escreva yes para continuar: ',
  ],
  authorityUnconfirmed: [
    'the authority is not confirmed, and nothing was written. Without a terminal give --fingerprint',
    'a autoridade não foi confirmada, e nada foi escrito. Sem terminal indique --fingerprint',
  ],
  authorityOther: [
    'the authority there has the fingerprint {fingerprint}, not the given one: another cluster, or an attacker between. Nothing was written',
    'a autoridade de lá tem a impressão digital {fingerprint}, não a indicada: outro cluster, ou um atacante no meio. Nada foi escrito',
  ],
  unitsWritten: [
    'units in {folder}: {names}. Next, as root: systemctl daemon-reload && systemctl enable --now {names}',
    'unidades em {folder}: {names}. A seguir, como root: systemctl daemon-reload && systemctl enable --now {names}',
  ],
  stoppedHere: [
    'stopped {names} of {machine}; nothing is left running here. Not stopped from here: {others}',
    'paradas {names} de {machine}; nada ficou a correr aqui. Não se param daqui: {others}',
  ],
} as const satisfies Record<string, readonly [en: string, pt: string]>

export function sayMachine(
  name: keyof typeof TEXTS,
  values: Record<string, string | number> = {},
): string {
  return sayIn(TEXTS, name, values)
}
