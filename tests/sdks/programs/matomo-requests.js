// The tracker of pages is no package: its requests as the reference of the HTTP API describes them.
const { MILLRACE_URL, WRITE_KEY } = window.MILLRACE
const shared = { idsite: WRITE_KEY, rec: '1', _id: 'fedcba9876543210', _idn: '1', send_image: '0', url: location.href, res: '1280x720', h: '10', m: '20', s: '30', pv_id: 'aB3dE6', cookie: '1' }
const text = (more) => new URLSearchParams({ ...shared, ...more }).toString()
const picture = () => new Promise((resolve, reject) => {
  const image = new Image(1, 1)
  image.onload = resolve
  image.onerror = () => reject(new Error('no picture'))
  image.src = `${MILLRACE_URL}/matomo.php?${text({ action_name: document.title, r: '123456', send_image: '1' })}`
})
const run = async () => {
  await picture()
  navigator.sendBeacon(`${MILLRACE_URL}/matomo.php`, new Blob([text({ e_c: 'Video', e_a: 'Play', r: '223456' })], { type: 'application/x-www-form-urlencoded; charset=UTF-8' }))
  const answer = await fetch(`${MILLRACE_URL}/matomo.php`, { method: 'POST', headers: { 'content-type': 'application/x-www-form-urlencoded; charset=UTF-8' }, body: text({ uid: 'u1', link: 'https://out.example/', r: '323456' }) })
  if (answer.status !== 204) throw new Error(String(answer.status))
  const requests = [`?${text({ uid: 'u1', idgoal: '0', ec_id: 'o1', revenue: '12.5', ec_items: '[["p1","Shoe","men",5.5,2]]', r: '423456' })}`, `?${text({ ping: '1', r: '523456' })}`]
  await fetch(`${MILLRACE_URL}/matomo.php`, { method: 'POST', body: JSON.stringify({ requests, send_image: 0 }) })
  window.done = true
}
run()
