using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks;

/// <summary>
/// Ends of flows that this service causes itself, told by the one who causes them before he does, and taken by each log when the end comes.
/// From any thread; costs nothing while there are none.
/// </summary>
public sealed class CausedEnds(TimeProvider time)
{
    private const int Capacity = 4096; // far more than may be caused within the time an end takes to come

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(FlowTuple Original, uint Id), CausedEnd> _causes = [];
    private int _takers = 1; // logs that each take an end once
    private bool _hasTaker;
    private volatile int _count;

    /// <summary>The one of the stream.</summary>
    internal static CausedEnds Of(ModuleBuilder builder) => builder.Shared(() => new CausedEnds(builder.Host.Time));

    /// <summary>The one of the stream, for one more log that takes ends. Before the stream starts.</summary>
    internal static CausedEnds TakenBy(ModuleBuilder builder)
    {
        CausedEnds ends = Of(builder);
        ends.AddTaker();
        return ends;
    }

    /// <summary>One more takes every end.</summary>
    internal void AddTaker()
    {
        lock (_gate)
        {
            if (_hasTaker)
                _takers++;
            _hasTaker = true;
        }
    }

    /// <summary>The end of this flow, if it comes, is ours.</summary>
    /// <param name="cause">Who, for the record: <c>reclassify</c>.</param>
    public void Announce(in Flow flow, string cause)
    {
        lock (_gate)
        {
            if (_causes.Count >= Capacity)
                DropOld();
            if (_causes.Count < Capacity)
                _causes[(flow.Original, flow.Id)] = new CausedEnd(cause, time.GetTimestamp(), _takers);
            _count = _causes.Count;
        }
    }

    /// <summary>
    /// Who caused this flow's end; null for the kernel itself and other programs. <see cref="Take"/> it once it is written.
    /// </summary>
    public string? Find(in Flow flow)
    {
        if (_count == 0)
            return null;
        lock (_gate)
        {
            return _causes.TryGetValue((flow.Original, flow.Id), out CausedEnd found) && time.GetElapsedTime(found.At) < Patience
                ? found.Cause
                : null;
        }
    }

    /// <summary>This flow's end is written. Called once for each end by each log.</summary>
    public void Take(in Flow flow)
    {
        if (_count == 0)
            return;
        lock (_gate)
        {
            (FlowTuple, uint) key = (flow.Original, flow.Id);
            if (!_causes.TryGetValue(key, out CausedEnd found))
                return;
            if (found.Takers > 1)
                _causes[key] = found with { Takers = found.Takers - 1 };
            else
                _causes.Remove(key);
            _count = _causes.Count;
        }
    }

    private void DropOld()
    {
        foreach (((FlowTuple, uint) flow, CausedEnd end) in _causes)
        {
            if (time.GetElapsedTime(end.At) >= Patience)
                _causes.Remove(flow);
        }
    }

    private readonly record struct CausedEnd(string Cause, long At, int Takers);
}
