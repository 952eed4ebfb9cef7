using ConntrackStream.Sinks.MapCleaning;
using ConntrackStream.Sinks.MapCleaning.Audit;

namespace ConntrackStream.Kernel.Tests.Soak;

/// <summary>When audits of the map began and ended, those that count. Seen by polling; written by one thread.</summary>
internal sealed class AuditLog(MapCleaner cleaning)
{
    private readonly List<(long Began, long Ended)> _counted = [];
    private readonly Lock _lock = new();
    private MapReport? _last;

    public void Poll()
    {
        MapReport? last = cleaning.Status.LastAudit;
        if (ReferenceEquals(last, _last) || last is null)
            return;
        _last = last;
        if (last.Problem is not null)
            return;
        long began = SoakClock.FromUnix(last.StartedAt);
        lock (_lock)
            _counted.Add((began, began + SoakClock.Of(last.Duration)));
    }

    /// <summary>Audits that lie between two times.</summary>
    public int Between(long from, long to)
    {
        int count = 0;
        lock (_lock)
        {
            for (int i = _counted.Count - 1; i >= 0 && _counted[i].Began > from; i--)
                count += _counted[i].Ended <= to ? 1 : 0;
        }

        return count;
    }
}
