using System.Globalization;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.Service.Summary;

/// <summary>
/// Reads the figures of the kernel's table in one network namespace. Not thread-safe; a request may wait as long as another program's
/// flush.
/// </summary>
internal sealed class TableReader : IDisposable
{
    private const string Directory = "/proc/sys/net/netfilter";
    private const string Events = "nf_conntrack_events";

    private readonly NetworkNamespace _namespace;
    private readonly TimeProvider _time;
    private readonly ConntrackClient _client;
    private readonly NewFlowCount? _began;
    private readonly Func<long>? _newFlows;

    /// <param name="newFlows">Counts the flows that begin; null: a socket of its own does.</param>
    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal TableReader(NetworkNamespace networkNamespace, TimeProvider time, Func<long>? newFlows = null)
    {
        _namespace = networkNamespace;
        _time = time;
        _client = networkNamespace.Run(static () => new ConntrackClient());
        try
        {
            if (newFlows is null && networkNamespace.Run(static () => Number(Events)) is not 0)
            {
                _began = networkNamespace.Run(static () => new NewFlowCount());
                _newFlows = _began.Read;
            }
            else
            {
                _newFlows = newFlows;
            }
        }
        catch
        {
            _client.Dispose();
            throw;
        }
    }

    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal TableReading Read()
    {
        (long? buckets, long? established, long? closeWait) = _namespace.Run(static () => (
            Number("nf_conntrack_buckets"), Number("nf_conntrack_tcp_timeout_established"), Number("nf_conntrack_tcp_timeout_close_wait")));
        return new TableReading
        {
            Max = _client.Max(),
            Buckets = buckets,
            EstablishedTimeout = Seconds(established),
            CloseWaitTimeout = Seconds(closeWait),
            EntryBytes = TableMemory.ReadEntryBytes(),
            Refusals = RefusalCounts.Of(_client.Stats()),
            NewFlows = _newFlows?.Invoke(),
            Entries = _client.Count(),
            At = _time.GetTimestamp(),
        };
    }

    /// <summary>Adds up the flows of the kernel's table that a filter lets pass.</summary>
    /// <exception cref="NetlinkException">The kernel does not answer.</exception>
    internal void AddFlows(TableTally tally, FlowFilter filter, CancellationToken cancellation) =>
        _client.Dump(
            filter.Family,
            new FlowBatchPool(),
            batch =>
            {
                foreach (ref readonly FlowEvent entry in batch.Span)
                {
                    if (filter.Matches(entry.Flow))
                        tally.Add(entry.Flow);
                }

                batch.Release();
            },
            cancellation);

    public void Dispose()
    {
        _client.Dispose();
        _began?.Dispose();
    }

    private static TimeSpan? Seconds(long? number) => number is >= 0 and <= int.MaxValue ? TimeSpan.FromSeconds(number.Value) : null;

    /// <summary>A setting of the calling thread's network namespace; null where this kernel has none of that name.</summary>
    private static long? Number(string name)
    {
        try
        {
            return long.TryParse(File.ReadAllText($"{Directory}/{name}").Trim(), CultureInfo.InvariantCulture, out long number)
                ? number
                : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
