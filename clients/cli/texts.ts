// The texts for people, in English and Portuguese; {name} stands for a value. Texts for developers
// (library errors, logs) are English only.

const TEXTS = {
  ready: ['ready', 'pronto'],
  notReady: ['not ready', 'não está pronto'],
  storedLines: [
    '{count} messages stored, the last at {index} ({mode})',
    '{count} mensagens guardadas, a última em {index} ({mode})',
  ],
  byEndToEnd: ['end to end', 'ponta a ponta'],
  byService: ['the service can read it', 'o serviço pode lê-la'],
  modeEndToEnd: [
    'mailbox of {name}: end to end; only you can read it',
    'caixa de {name}: ponta a ponta; só você a pode ler',
  ],
  modeService: [
    'mailbox of {name}: the service holds the keys and can read it',
    'caixa de {name}: o serviço guarda as chaves e pode lê-la',
  ],
  heldByClient: ['held here alone', 'só existe aqui'],
  heldByService: ['held by the service', 'guardada pelo serviço'],
  keysFirst: [
    'keys of {name} seen for the first time: {fingerprint}. Compare it by another way: troca keys fingerprint {name}',
    'chaves de {name} vistas pela primeira vez: {fingerprint}. Compare por outra via: troca keys fingerprint {name}',
  ],
  keysOfService: [
    'the service holds the keys of {name} and can read messages to this account',
    'o serviço guarda as chaves de {name} e pode ler as mensagens para esta conta',
  ],
  keysRotated: [
    '{name} has new keys, and the known ones vouch for them: {fingerprint}',
    '{name} tem chaves novas, e as conhecidas respondem por elas: {fingerprint}',
  ],
  keysChanged: [
    'the key of {name}, which the service holds, has changed: now {fingerprint}, before {before}',
    'a chave de {name}, que o serviço guarda, mudou: agora {fingerprint}, antes {before}',
  ],
  keysUntrusted: [
    'WARNING: THE KEYS OF {name} HAVE CHANGED, and no known key vouches for the new ones.\n  known: {before}\n  now:   {fingerprint}\nAnother person may be able to read your messages. Nothing is sent until you have compared fingerprints with {name} by another way.',
    'AVISO: AS CHAVES DE {name} MUDARAM, e nenhuma chave conhecida responde pelas novas.\n  conhecida: {before}\n  agora:     {fingerprint}\nOutra pessoa pode conseguir ler as suas mensagens. Nada é enviado até comparar as impressões digitais com {name} por outra via.',
  ],
  keysTrusted: [
    'the keys of {name} are trusted: {fingerprint}',
    'as chaves de {name} são de confiança: {fingerprint}',
  ],
  keyFileAt: [
    'the private keys are only in {path}, encrypted with your password: keep a copy; without the file your messages cannot be read',
    'as chaves privadas só existem em {path}, cifradas com a sua palavra-passe: guarde uma cópia; sem o ficheiro não se podem ler as suas mensagens',
  ],
  notStored: ['Nothing was stored.', 'Nada foi guardado.'],
  maybeStored: ['It may be stored.', 'Pode ter sido guardada.'],
  tryThis: ['Try: {what}', 'Tente: {what}'],
  persistenceMissing: [
    '{reachable} of {all} persistence replicas reachable{names}; {needed} needed; missing: {missing}.',
    '{reachable} de {all} réplicas de persistência ao alcance{names}; são precisas {needed}; faltam: {missing}.',
  ],
  processingMissing: [
    'processing replicas missing: {missing}.',
    'réplicas de processamento em falta: {missing}.',
  ],
  noCoordinator: ['There is no coordinator just now.', 'De momento não há coordenador.'],
  accepted: ['accepted', 'aceite'],
  stateStored: ['stored', 'guardada'],
  stateDelivered: ['delivered', 'entregue'],
  stateRead: ['read', 'lida'],
  pm2Silent: [
    'pm2 did not answer in time; the replicas were told to stop without it',
    'o pm2 não respondeu a tempo; as réplicas foram paradas sem ele',
  ],
  killedLate: [
    '{name} (process {pid}) did not end in time and was killed; what it had acknowledged is on disk',
    '{name} (processo {pid}) não terminou a tempo e foi morta; o que confirmou está no disco',
  ],
  stateRefused: ['refused', 'recusada'],
  stateExpired: ['expired unread', 'expirou por ler'],
  retentionIs: [
    'messages of {name} are kept: {rule}',
    'as mensagens de {name} são guardadas: {rule}',
  ],
  retentionBoth: ['own: {own}; of the cluster: {cluster}', 'própria: {own}; do grupo: {cluster}'],
  retentionAll: ['without bound', 'sem limite'],
  retentionAge: ['for {age}', 'por {age}'],
  retentionCount: ['the newest {count}', 'as {count} mais novas'],
  retentionBytes: ['{bytes} of the newest', '{bytes} das mais novas'],
  headIndex: ['index', 'índice'],
  headTo: ['to', 'para'],
  headTime: ['time', 'hora'],
  headState: ['state', 'estado'],
  nothingSent: ['nothing was sent', 'nada foi enviado'],
  noMessages: ['no new messages', 'não há mensagens novas'],
  sealed: ['(this envelope does not open)', '(este envelope não abre)'],
  unproven: [
    '(not shown: the message does not open, or its sender did not sign it for this place)',
    '(não se mostra: a mensagem não abre, ou o remetente não a assinou para este lugar)',
  ],
  registered: [
    '{name} is registered; key of {bits} bits, {mode}, fingerprint {fingerprint}',
    '{name} foi registado; chave de {bits} bits, {mode}, impressão digital {fingerprint}',
  ],
  loggedIn: ['logged in as {name}', 'sessão aberta como {name}'],
  loggedOut: [
    '{name} is logged out here; no password is kept',
    '{name} já não tem sessão aqui; nenhuma palavra-passe fica guardada',
  ],
  remembered: [
    'the password is kept in {path}, readable only by you (--no-save: not kept)',
    'a palavra-passe fica guardada em {path}, legível só por si (--no-save: não fica)',
  ],
  nobody: [
    'no user is logged in; try: troca login NAME',
    'nenhum utilizador tem sessão aberta; tente: troca login NOME',
  ],
  password: ['Password for {name}: ', 'Palavra-passe de {name}: '],
  newPassword: ['New password for {name}: ', 'Nova palavra-passe de {name}: '],
  weakSecret: [
    'weak: about {guesses} guesses find it; four random words are stronger, and easy to remember',
    'fraca: bastam cerca de {guesses} tentativas; quatro palavras ao acaso são mais fortes e lembram bem',
  ],
  passwordChanged: [
    '{name} has a new password; all other sessions have ended',
    '{name} tem nova palavra-passe; todas as outras sessões terminaram',
  ],
  rotated: [
    '{name} has a new key of {bits} bits, fingerprint {fingerprint}; the old keys still open older messages',
    '{name} tem nova chave de {bits} bits, impressão digital {fingerprint}; as chaves antigas ainda abrem as mensagens anteriores',
  ],
  keyInUse: ['in use', 'em uso'],
  keyOld: ['reads what was sent before', 'lê o que foi enviado antes'],
  passphrase: ['Passphrase of the key: ', 'Frase-passe da chave: '],
  newPassphrase: ['Passphrase for the key: ', 'Frase-passe para a chave: '],
  noPassphrase: [
    'no passphrase: give it by prompt, --passphrase-file or TROCA_PASSPHRASE',
    'falta a frase-passe: por pergunta, --passphrase-file ou TROCA_PASSPHRASE',
  ],
  signsNothing: [
    'the service holds the keys of {name}, so {name} signs nothing',
    'o serviço guarda as chaves de {name}, que por isso nada assina',
  ],
  noSuchKey: ['there is no key {kid}', 'não há chave {kid}'],
  exported: [
    'private keys in {out}, encrypted with the passphrase: {count}',
    'chaves privadas em {out}, cifradas com a frase-passe: {count}',
  ],
  severalKeys: [
    'the file has {count} keys; {kid} is imported (--kid chooses another)',
    'o ficheiro tem {count} chaves; importa-se {kid} (--kid escolhe outra)',
  ],
  jweNotOpened: [
    'line {line} does not open: it is for another key, was changed, is not a JWE of RSA-OAEP-256 and A256GCM, or is signed, and its signature is missing or not of a key of --signer (troca keys signing NAME)',
    'a linha {line} não abre: é para outra chave, foi alterada, não é um JWE de RSA-OAEP-256 e A256GCM, ou é assinada e falta a assinatura, ou esta não é de uma chave de --signer (troca keys signing NOME)',
  ],
  jweCount: ['{opened} of {count} opened', '{opened} de {count} abertas'],
  exportedTo: ['envelopes in {out}: {count}', 'envelopes em {out}: {count}'],
  invited: [
    'this code registers one user, until {until}: troca register NAME --invitation {code}',
    'este código regista um utilizador, até {until}: troca register NOME --invitation {code}',
  ],
  blocked: [
    'messages from {name} are refused from now on',
    'as mensagens de {name} passam a ser recusadas',
  ],
  unblocked: [
    'messages from {name} are accepted again',
    'as mensagens de {name} voltam a ser aceites',
  ],
  nobodyBlocked: ['no user is blocked', 'nenhum utilizador está bloqueado'],
  confirmDelete: [
    'This deletes the account of {name} for ever, with all messages in its mailbox. Type the name to go on: ',
    'Isto apaga a conta de {name} para sempre, com todas as mensagens da sua caixa. Escreva o nome para continuar: ',
  ],
  deleteNeedsYes: [
    'there is no terminal to ask at: add --yes to delete the account',
    'não há terminal onde perguntar: junte --yes para apagar a conta',
  ],
  notDeleted: [
    'the typed name is another one: the account of {name} was not deleted',
    'o nome escrito é outro: a conta de {name} não foi apagada',
  ],
  accountDeleted: [
    'the account of {name} is deleted, with its mailbox; the name stays taken',
    'a conta de {name} foi apagada, com a sua caixa; o nome fica ocupado',
  ],
  keyFileStays: [
    'the key file remains at {path}; it still opens exported messages',
    'o ficheiro de chaves fica em {path}; ainda abre as mensagens exportadas',
  ],
  passwordAgain: ['Once more: ', 'Outra vez: '],
  passwordsDiffer: ['the two entries differ', 'as duas entradas são diferentes'],
  noPassword: [
    'no password: give it by prompt, --password-file, TROCA_PASSWORD or stdin',
    'falta a palavra-passe: por pergunta, --password-file, TROCA_PASSWORD ou stdin',
  ],
  noCluster: [
    'there is no cluster in {dir}; try: troca up',
    'não há cluster em {dir}; tente: troca up',
  ],
  initialising: [
    'no cluster in {dir} yet: making one',
    'ainda não há cluster em {dir}: a criar um',
  ],
  renewed: [
    'new certificates for {names}; running replicas load them within seconds',
    'certificados novos para {names}; as réplicas em funcionamento passam a usá-los dentro de segundos',
  ],
  doctorFound: ['found', 'resultado'],
  doctorNext: ['what to do', 'o que fazer'],
  doctorSum: [
    '{ok} ok, {warn} to watch, {fail} wrong',
    '{ok} em ordem, {warn} a vigiar, {fail} errados',
  ],
  starting: ['starting {names}', 'a iniciar {names}'],
  waiting: ['{up} of {all} replicas reachable{names}', '{up} de {all} réplicas ao alcance{names}'],
  isUp: [
    'ready: coordinator {coordinator}, {all} replicas',
    'pronto: coordenador {coordinator}, {all} réplicas',
  ],
  alreadyUp: ['the cluster is already running', 'o cluster já está a funcionar'],
  notStopped: [
    'these processes do not end, even after SIGKILL: {pids}. They wait for a disk or a debugger; see: ps -o pid,stat,wchan,cmd -p {pids}',
    'estes processos não terminam, nem com SIGKILL: {pids}. Esperam por um disco ou um depurador; veja: ps -o pid,stat,wchan,cmd -p {pids}',
  ],
  stopping: ['stopping', 'a parar'],
  stopped: ['stopped; nothing is left running', 'parado; nada ficou a correr'],
  notRunning: ['no replica was running', 'nenhuma réplica estava a correr'],
  portTaken: [
    'another program uses port {port}, which {name} needs; stop that program, or choose other ports',
    'outro programa usa a porta {port}, de que {name} precisa; pare esse programa ou escolha outras portas',
  ],
  replicaDied: [
    '{name} does not start: {reason}. See {log}',
    '{name} não arranca: {reason}. Veja {log}',
  ],
  notReadyInTime: ['not ready within {seconds} s', 'não ficou pronto em {seconds} s'],
  cannotRead: ['cannot read {path}: {reason}', 'não é possível ler {path}: {reason}'],
  cannotWrite: ['cannot write {path}: {reason}', 'não é possível escrever {path}: {reason}'],
  listening: ['listening as {name}; Ctrl-C ends', 'à escuta como {name}; Ctrl-C termina'],
  historyChanged: [
    'WARNING: the log of this cluster was restored or recovered. The read mark of {name} that was kept here is forgotten; the inbox begins after the mark that the service has. Messages may be shown again, and the newest of before may be gone.',
    'AVISO: o registo deste cluster foi reposto ou recuperado. A marca de leitura de {name} guardada aqui fica esquecida; a caixa começa depois da marca que o serviço tem. Podem voltar a aparecer mensagens, e as mais novas de antes podem faltar.',
  ],
  retrying: ['no connection: {reason}; trying on', 'sem ligação: {reason}; a insistir'],
  reconnecting: ['connection lost, reconnecting', 'ligação perdida, a religar'],
  working: ['{what} …', '{what} …'],
} as const satisfies Record<string, readonly [en: string, pt: string]>

/** Portuguese texts of errors, by name. An error without one is shown in English. */
const ERRORS_PT: Record<string, string> = {
  NAME_TAKEN: 'este nome já está em uso',
  NO_SUCH_USER: 'esse utilizador não existe',
  BAD_CREDENTIALS: 'utilizador desconhecido ou palavra-passe errada',
  NOT_LOGGED_IN: 'sem sessão aberta',
  ACCOUNT_CHANGED: 'a conta foi alterada por outro pedido pouco antes',
  BAD_KEY: 'esta chave não é aceite',
  TOO_MANY_KEYS: 'a conta tem tantas chaves quantas pode ter',
  SESSION_ENDED: 'a conta mudou (palavra-passe, chave) ou foi apagada: abra sessão outra vez',
  CLIENT_HELD: 'só o destinatário tem as suas chaves: o serviço não aceita texto legível para ele',
  NOT_CLIENT_HELD: 'mensagens seladas são entre contas que guardam as suas chaves',
  NOT_END_TO_END: 'não seria de ponta a ponta',
  UNTRUSTED_KEY: 'as chaves não são as conhecidas',
  NO_KEYS: 'falta o ficheiro de chaves desta conta, ou não abre',
  BAD_PASSWORD: 'esta palavra-passe não serve: curta demais, ou com um carácter de controlo',
  BAD_NAME: 'o nome não é válido: 1 a 32 de a-z 0-9 . _ - a começar por letra',
  TOO_LONG: 'o texto é demasiado longo',
  REGISTRATION_CLOSED: 'aqui não se aceitam contas novas',
  INVITATION_NEEDED: 'as contas novas são só por convite',
  BAD_INVITATION: 'este convite não está aberto: desconhecido, já usado ou fora de prazo',
  TOO_MANY_INVITATIONS: 'a conta tem tantos convites abertos quantos pode ter',
  BLOCKED: 'o destinatário não aceita mensagens desta conta',
  TOO_MANY_BLOCKED: 'a lista de bloqueados está cheia',
  STREAM_CLOSED: 'este fluxo de envios está fechado',
  RATE_LIMITED: 'este utilizador envia depressa demais',
  MAILBOX_FULL: 'a caixa do destinatário está cheia',
  OVERLOADED: 'a réplica tem trabalho a mais',
  TOO_MANY_ATTEMPTS: 'demasiadas palavras-passe erradas deste endereço',
  TOO_MANY_REGISTRATIONS: 'demasiados registos deste endereço',
  ADDRESS_BUSY: 'este endereço tem demasiado em curso',
  TOO_MANY_CONNECTIONS: 'demasiadas ligações deste endereço',
  NOT_READY: 'de momento não há coordenador',
  NO_QUORUM: 'há réplicas de persistência a menos',
  STORAGE_FULL: 'o disco está cheio',
  WRONG_HISTORY: 'o registo tem outra história: foi reposto ou recuperado',
  HISTORY_CHANGED: 'o registo foi reposto ou recuperado entretanto',
  UNREACHABLE: 'nenhuma réplica de processamento ao alcance',
  TIMEOUT: 'não houve resposta a tempo',
}

export type TextName = keyof typeof TEXTS

function portuguese(): boolean {
  const { LC_ALL, LC_MESSAGES, LANG } = process.env
  return /^pt/i.test(LC_ALL || LC_MESSAGES || LANG || '')
}

type Values = Record<string, string | number>

/** A text of a table, in the language of the environment. */
export function sayIn<Name extends string>(
  texts: Readonly<Record<Name, readonly [en: string, pt: string]>>,
  name: Name,
  values: Values = {},
): string {
  const text = texts[name][portuguese() ? 1 : 0]
  return text.replace(/\{(\w+)\}/g, (_, key: string) => String(values[key] ?? ''))
}

export function say(name: TextName, values: Values = {}): string {
  return sayIn(TEXTS, name, values)
}

export function sayError(name: string, text: string, retryAfterMs = 0): string {
  const translated = portuguese() ? ERRORS_PT[name] : undefined
  if (!translated) return text
  const wait = retryAfterMs >= 1_000 ? `; de novo daqui a ${Math.ceil(retryAfterMs / 1_000)} s` : ''
  return `${translated}${wait} (${name})`
}
