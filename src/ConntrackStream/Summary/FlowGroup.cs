using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Service.Summary;

/// <summary>Flows that have something in common, and where they come from and lead to.</summary>
internal sealed class FlowGroup
{
    private const int Counters = 1024;

    private readonly HeavyHitters<HostKey> _sources = new(Counters);
    private readonly HeavyHitters<HostKey> _destinations = new(Counters);
    private readonly HeavyHitters<ServiceKey> _services = new(Counters);
    private readonly HeavyHitters<PairKey> _pairs = new(Counters);

    internal long Flows { get; private set; }

    internal void Add(in FlowTuple original)
    {
        Flows++;
        _sources.Add(HostKey.Source(original), 1);
        _destinations.Add(HostKey.Destination(original), 1);
        _services.Add(ServiceKey.Of(original), 1);
        _pairs.Add(PairKey.Of(original), 1);
    }

    /// <summary>The one with the most flows; each only where <see cref="Flows"/> is above 0.</summary>
    internal HeavyHitter<HostKey> Source => _sources.Top(1)[0];

    internal HeavyHitter<HostKey> Destination => _destinations.Top(1)[0];

    internal HeavyHitter<ServiceKey> Service => _services.Top(1)[0];

    internal HeavyHitter<PairKey> Pair => _pairs.Top(1)[0];
}
