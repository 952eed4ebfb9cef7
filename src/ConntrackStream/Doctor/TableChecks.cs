using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Modules;
using ConntrackStream.Service.Summary;

namespace ConntrackStream.Service.Doctor;

/// <summary>
/// How the kernel's table should be set, and what its counters mean: the advice of <c>summary</c>. Rates are taken from the time that the
/// other checks need, or from a second where the table has so many entries that they say something.
/// </summary>
internal sealed class TableChecks : IDisposable
{
    private const int ManyEntries = 1000;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time;
    private readonly TableReader _table;
    private readonly TableReading _before;

    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal TableChecks(NetworkNamespace networkNamespace, TimeProvider time)
    {
        _time = time;
        _table = new TableReader(networkNamespace, time);
        try
        {
            _before = _table.Read();
        }
        catch
        {
            _table.Dispose();
            throw;
        }
    }

    public void Dispose() => _table.Dispose();

    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal async Task<IEnumerable<CheckResult>> FinishAsync(CancellationToken cancellation)
    {
        TimeSpan left = Interval - _time.GetElapsedTime(_before.At);
        if (_before.Entries >= ManyEntries && left > TimeSpan.Zero)
            await Task.Delay(left, _time, cancellation).ConfigureAwait(false);
        TableReading after = _table.Read();
        return [.. TableAdvice.Of(TableGrowth.Between(_before, after, _time)).Concat(RefusalAdvice.Of(after.Refusals)).Select(Line)];
    }

    internal static CheckResult Line(Advice advice) => advice.Remedy is { } remedy
        ? CheckResult.Warn(advice.Subject, advice.Finding, remedy)
        : CheckResult.Ok(advice.Subject, advice.Finding);
}
