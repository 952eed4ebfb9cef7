using System.Collections.Concurrent;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;

namespace ConntrackStream.Sinks.Reclassify.Paths;

/// <summary>
/// Whose sources go untranslated on which path, and are answered there: a provider drops those that are not of its own prefix, so a flow is
/// not moved to where no other of its network (/24, /64) gets answers. From any thread.
/// </summary>
internal sealed class SourceUse
{
    private const int MostNetworks = 4096;
    private const int NetworkLength4 = 24, NetworkLength6 = 64;

    private readonly ConcurrentDictionary<(string Path, FlowFamily Family, IpAddress Network), Sample> _networks = [];
    private int _count;

    /// <summary>Whether either counters or status say that something came back.</summary>
    internal static bool IsAnswered(in Flow flow) =>
        (flow.Status & FlowStatus.SeenReply) != FlowStatus.None || (flow.Has(FlowFields.ReplyCounters) && flow.ReplyPackets > 0);

    /// <summary>A flow is on a path, its source not translated. Allocates for the first of a network alone.</summary>
    internal void Note(UplinkPath path, in Flow flow)
    {
        (string, FlowFamily, IpAddress) network = NetworkOf(path, flow.Original);
        if (!_networks.TryGetValue(network, out Sample? sample))
        {
            if (Volatile.Read(ref _count) >= MostNetworks)
                return;
            sample = new Sample();
            if (_networks.TryAdd(network, sample))
                Interlocked.Increment(ref _count);
            else
                sample = _networks[network];
        }

        sample.Note(flow);
    }

    /// <summary>Whether flows of this one's network are known to be answered on a path.</summary>
    /// <param name="read">Asks about the last of them that was seen, which had no answer then; false when there is none such.</param>
    internal bool IsUsed(in FlowTuple original, UplinkPath wanted, FlowReader read) =>
        _networks.TryGetValue(NetworkOf(wanted, original), out Sample? sample) && sample.IsAnswered(read);

    /// <summary>A path, and the network that a flow's source counts as part of.</summary>
    internal static (string Path, FlowFamily Family, IpAddress Network) NetworkOf(UplinkPath path, in FlowTuple original) =>
        (path.Name, original.Family,
            new IpPrefix(original.Source, original.IsIPv6 ? NetworkLength6 : NetworkLength4, original.Family).Network);

    /// <summary>Of one network on one path.</summary>
    private sealed class Sample
    {
        private readonly Lock _gate = new();
        private FlowTuple _last;
        private uint _id;
        private uint _mark;
        private bool _isAnswered;

        internal void Note(in Flow flow)
        {
            if (Volatile.Read(ref _isAnswered))
                return;
            lock (_gate)
                (_last, _id, _mark) = (flow.Original, flow.Id, flow.Mark);
            if (SourceUse.IsAnswered(flow))
                Volatile.Write(ref _isAnswered, true);
        }

        internal bool IsAnswered(FlowReader read)
        {
            if (Volatile.Read(ref _isAnswered))
                return true;
            FlowTuple last;
            uint id, mark;
            lock (_gate)
                (last, id, mark) = (_last, _id, _mark);
            Flow flow = default;
            bool isAnswered = read(last, ref flow) && flow.Id == id && flow.Mark == mark && SourceUse.IsAnswered(flow);
            if (isAnswered)
                Volatile.Write(ref _isAnswered, true);
            return isAnswered;
        }
    }
}
