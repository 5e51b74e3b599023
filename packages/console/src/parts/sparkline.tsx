/** Counts of equal spans of time as bars; the last is the newest. Decoration: the figure beside it tells the sum. */
export const Sparkline = ({ values }: { readonly values: readonly number[] }) => {
  const most = Math.max(1, ...values)
  return (
    <svg className="sparkline" viewBox={`0 0 ${values.length * 4} 32`} preserveAspectRatio="none" aria-hidden="true">
      {values.map((value, index) => {
        const height = value === 0 ? 1 : 2 + (30 * value) / most
        return <rect key={index} x={index * 4} y={32 - height} width="3" height={height} rx="1" className={value === 0 ? 'idle' : ''} />
      })}
    </svg>
  )
}
