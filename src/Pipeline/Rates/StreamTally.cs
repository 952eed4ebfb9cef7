using System.Runtime.InteropServices;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Rates;

/// <summary>Adds up the changes of one interval.</summary>
internal sealed class StreamTally
{
    private const int MaxSources = 65_536; // remote hosts choose them: bounded

    private readonly Dictionary<(FlowFamily Family, IpAddress Source), (long Started, ulong Bytes)> _sources = [];
    private long _started, _updated, _ended, _gaps;

    public StreamTally Add(FlowChangeBatch batch)
    {
        foreach (ref readonly FlowChange change in batch.Span)
        {
            switch (change.Kind)
            {
                case FlowChangeKind.Started:
                    _started++;
                    Credit(change.Flow.Original, started: 1, bytes: 0);
                    break;
                case FlowChangeKind.Updated:
                    _updated++;
                    break;
                case FlowChangeKind.Ended:
                    _ended++;
                    Credit(change.Flow.Original, started: 0, change.Flow.OriginalBytes + change.Flow.ReplyBytes);
                    break;
                case FlowChangeKind.Gap:
                    _gaps++;
                    break;
            }
        }

        return this;
    }

    public StreamSample ToSample(TimeSpan interval, int talkers) => new(
        interval, _started, _updated, _ended, _gaps,
        [.. All.OrderByDescending(static one => one.Bytes).ThenByDescending(static one => one.Started).Take(talkers)],
        [.. All.OrderByDescending(static one => one.Started).ThenByDescending(static one => one.Bytes).Take(talkers)]);

    private IEnumerable<Talker> All => _sources.Select(static source =>
        new Talker(source.Key.Family, source.Key.Source, source.Value.Started, source.Value.Bytes));

    private void Credit(in FlowTuple original, long started, ulong bytes)
    {
        (FlowFamily, IpAddress) source = (original.Family, original.Source);
        if (_sources.Count >= MaxSources && !_sources.ContainsKey(source))
            return;
        ref (long Started, ulong Bytes) sum = ref CollectionsMarshal.GetValueRefOrAddDefault(_sources, source, out _);
        sum.Started += started;
        sum.Bytes += bytes;
    }
}
