using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Modules;

namespace ConntrackStream.Sinks;

/// <summary>
/// Ends of flows that this service causes itself, told by the one who causes them before he does, and taken by the flow log when the end
/// comes. From any thread; costs nothing while there are none.
/// </summary>
public sealed class CausedEnds(TimeProvider time)
{
    private const int Capacity = 4096; // far more than may be caused within the time an end takes to come

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private readonly Dictionary<(FlowTuple Original, uint Id), (string Cause, long At)> _causes = [];
    private volatile int _count;

    /// <summary>The one of the stream.</summary>
    internal static CausedEnds Of(ModuleBuilder builder) => builder.Shared(() => new CausedEnds(builder.Host.Time));

    /// <summary>The end of this flow, if it comes, is ours.</summary>
    /// <param name="cause">Who, for the record: <c>reclassify</c>.</param>
    public void Announce(in Flow flow, string cause)
    {
        lock (_gate)
        {
            if (_causes.Count >= Capacity)
                DropOld();
            if (_causes.Count < Capacity)
                _causes[(flow.Original, flow.Id)] = (cause, time.GetTimestamp());
            _count = _causes.Count;
        }
    }

    /// <summary>Who caused this flow's end; null for the kernel itself and other programs. Asked once for each end.</summary>
    public string? Take(in Flow flow)
    {
        if (_count == 0)
            return null;
        lock (_gate)
        {
            bool isOurs = _causes.Remove((flow.Original, flow.Id), out (string Cause, long At) found);
            _count = _causes.Count;
            return isOurs && time.GetElapsedTime(found.At) < Patience ? found.Cause : null;
        }
    }

    private void DropOld()
    {
        foreach (((FlowTuple, uint) flow, (string _, long at)) in _causes)
        {
            if (time.GetElapsedTime(at) >= Patience)
                _causes.Remove(flow);
        }
    }
}
