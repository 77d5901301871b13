// The texts of troca doctor, in English and Portuguese; {name} stands for a value.

export const DOCTOR_TEXTS = {
  node: ['Node {version}', 'Node {version}'],
  nodeOld: ['Node {version}; {needed} is needed', 'Node {version}; é preciso {needed}'],
  nodeOldNext: [
    'install a newer Node: https://nodejs.org',
    'instale um Node mais recente: https://nodejs.org',
  ],
  config: ['is in order', 'está em ordem'],
  configWrong: ['{problem}', '{problem}'],
  configWrongNext: ['edit {file}', 'edite {file}'],
  tlsOff: [
    'TLS is off: the network can read all traffic',
    'TLS desligado: a rede pode ler todo o tráfego',
  ],
  tlsOffNext: [
    'use it for lessons only; otherwise make a cluster without --plain',
    'use-o só em aulas; senão crie um cluster sem --plain',
  ],
  debugOpen: [
    'the debug ports listen at {host}, without a password',
    'as portas de diagnóstico escutam em {host}, sem palavra-passe',
  ],
  debugOpenNext: [
    'remove debugHost from {file}, or guard the ports by a firewall',
    'retire debugHost de {file}, ou proteja as portas com uma firewall',
  ],
  clientFile: ['has the addresses of cluster.yaml', 'tem os endereços de cluster.yaml'],
  clientFileOld: [
    'its addresses are not those of cluster.yaml',
    'os endereços não são os de cluster.yaml',
  ],
  clientFileOldNext: [
    'troca up, or troca init --renew, writes it anew; give clients the new one: troca bundle --client',
    'troca up, ou troca init --renew, escreve-o de novo; dê o novo aos clientes: troca bundle --client',
  ],
  certificate: [
    'fits its key and the authority; {days} days left',
    'corresponde à chave e à autoridade; faltam {days} dias',
  ],
  certificateEnds: ['expires in {days} days', 'expira dentro de {days} dias'],
  certificateWrong: ['{problem}', '{problem}'],
  renewNext: ['troca init --renew', 'troca init --renew'],
  authorityEnds: [
    'the authority expires in {days} days',
    'a autoridade expira dentro de {days} dias',
  ],
  authorityEndsNext: [
    'see "Certificates" in docs/OPERATIONS.md',
    'veja "Certificates" em docs/OPERATIONS.md',
  ],
  private: [
    '{count} files with secrets, for their owner alone',
    '{count} ficheiros com segredos, só para o dono',
  ],
  readable: ['may be read by others (mode {mode})', 'pode ser lido por outros (modo {mode})'],
  readableNext: ['chmod 600 {file}', 'chmod 600 {file}'],
  disk: ['{free} free of {all}', '{free} livres de {all}'],
  diskLow: ['only {free} free of {all}', 'só {free} livres de {all}'],
  diskLowNext: [
    'free some space; a replica with a full disk refuses to store, and recovers by itself',
    'liberte espaço; uma réplica com o disco cheio recusa guardar, e recupera por si',
  ],
  notWritable: ['cannot be written to', 'não se pode escrever aqui'],
  notWritableNext: [
    'chown or chmod {file} for the user that runs the replicas',
    'chown ou chmod de {file} para o utilizador das réplicas',
  ],
  fileSize: [
    'log of {file}, of which {reused} are free, and {wal} not moved into it yet; the disk has {free} free',
    'registo de {file}, dos quais {reused} livres, e {wal} ainda por juntar; o disco tem {free} livres',
  ],
  port: ['answers', 'responde'],
  portDead: ['does not answer at {at}: {reason}', 'não responde em {at}: {reason}'],
  portDeadNext: [
    'troca up; if it hangs: troca down, troca up; if it is elsewhere: host, port, firewall',
    'troca up; se está presa: troca down, troca up; se é noutro lado: host, porta, firewall',
  ],
  portDeadThere: [
    'on machine {machine}: troca up; if it runs: host, port, firewall',
    'na máquina {machine}: troca up; se funciona: host, porta, firewall',
  ],
  portOther: [
    'another program answers at {at}: {reason}',
    'outro programa responde em {at}: {reason}',
  ],
  portOtherNext: [
    'stop that program, or choose another port in {file}',
    'pare esse programa, ou escolha outra porta em {file}',
  ],
  oldCertificate: ['still shows the certificate of before', 'ainda mostra o certificado anterior'],
  oldCertificateNext: [
    'kill -HUP its process; its log says why it kept the old one: {log}',
    'kill -HUP ao processo; o registo diz porque manteve o antigo: {log}',
  ],
  ready: ['serves', 'serve'],
  notReady: ['does not serve: {reason}', 'não serve: {reason}'],
  notReadyNext: [
    'wait a few seconds; then see its log: {log}',
    'espere uns segundos; depois veja o registo: {log}',
  ],
  notReadyThere: [
    'wait a few seconds; then, on machine {machine}: troca doctor',
    'espere uns segundos; depois, na máquina {machine}: troca doctor',
  ],
  linked: ['linked with {by}: {role}', 'ligada a {by}: {role}'],
  notLinked: ['not linked with {by}', 'não está ligada a {by}'],
  notLinkedNext: [
    'on machine {machine}: troca doctor; then firewalls between the machines',
    'na máquina {machine}: troca doctor; depois as firewalls entre as máquinas',
  ],
  unknown: [
    'not seen: no processing replica can be asked',
    'não se viu: nenhuma réplica de processamento responde',
  ],
  unknownNext: ['on machine {machine}: troca doctor', 'na máquina {machine}: troca doctor'],
  elsewhere: [
    'on other machines; their clocks, disks, logs and keys were not seen: troca doctor on {machines}',
    'noutras máquinas; não se viram relógios, discos, registos e chaves: troca doctor em {machines}',
  ],
  silent: ['its debug port {port} does not answer', 'a porta de diagnóstico {port} não responde'],
  silentNext: [
    'troca up; if it hangs: troca down, troca up; its log: {log}',
    'troca up; se está presa: troca down, troca up; o registo: {log}',
  ],
  majority: [
    '{running} of {all} persistence replicas run; {needed} needed',
    '{running} de {all} réplicas de persistência a funcionar; são precisas {needed}',
  ],
  majorityNext: ['start the missing ones: {missing}', 'inicie as que faltam: {missing}'],
  clock: ['within {seconds} s of this machine', 'a menos de {seconds} s desta máquina'],
  clockOff: ['differs from this machine by {seconds} s', 'difere desta máquina em {seconds} s'],
  clockOffNext: [
    'set both clocks by NTP: the times of messages and the validity of certificates depend on them',
    'acerte os relógios por NTP: deles dependem as horas das mensagens e os certificados',
  ],
  pm2: ['runs', 'corre'],
  pm2Restarts: ['runs, restarted {restarts} times', 'corre, reiniciada {restarts} vezes'],
  pm2LogNext: ['see {log}', 'veja {log}'],
  pm2Down: ['pm2 says {status}: {words}', 'o pm2 diz {status}: {words}'],
  pm2Not: ["the cluster's pm2 does not run", 'o pm2 do cluster não corre'],
  pm2NotNext: [
    'troca up; nothing to do if another supervisor runs the replicas',
    'troca up; nada a fazer se outro supervisor corre as réplicas',
  ],
} as const satisfies Record<string, readonly [en: string, pt: string]>

export type DoctorText = keyof typeof DOCTOR_TEXTS
