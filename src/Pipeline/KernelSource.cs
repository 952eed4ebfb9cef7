using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline;

/// <summary>
/// The kernel as a source: a tap that feeds the pipeline, a client for the loop's own questions, and one for each dump, all in one
/// network namespace. A question that fails is answered so that nothing ends by it: the entry counts as alive.
/// </summary>
public sealed class KernelSource : IAsyncDisposable
{
    private readonly NetworkNamespace _namespace;
    private readonly FlowBatchPool _pool = new();
    private readonly ILogger _logger;
    private readonly FlowTuple[] _oneTuple = new FlowTuple[1];
    private readonly uint[] _oneId = new uint[1];
    private readonly bool[] _oneAnswer = new bool[1];
    private bool[] _found = new bool[64];
    private ConntrackClient? _client; // null until asked, and after a failure
    private volatile ClashCount? _clashes; // null until the event socket is open, and where the kernel has no such figure

    /// <summary>The kernel as the tap's options name it: namespace, filter, buffer.</summary>
    public KernelSource(TapOptions options, TimeProvider time, ILoggerFactory loggers)
        : this(options, time, loggers, capacity: 256, () => TapSocket.Open(options, time, loggers.CreateLogger<ConntrackTap>()))
    {
    }

    internal KernelSource(TapOptions options, TimeProvider time, ILoggerFactory loggers, int capacity, Func<TapSocket> open)
    {
        _namespace = options.Namespace;
        _logger = loggers.CreateLogger<KernelSource>();
        Source = new PipelineSource(capacity)
        {
            Kernel = new KernelTable
            {
                Count = Count,
                Clashes = () => _clashes?.Read() ?? 0,
                IsAlive = IsAlive,
                AreAlive = AreAlive,
                Exists = Exists,
                HasInterface = HasInterface,
                Timeouts = Timeouts,
                Dump = Dump,
            },
            RequestBarrier = token => Tap!.RequestBarrier(token),
        };
        Tap = new ConntrackTap(options, Source.Writer, _pool, time, loggers.CreateLogger<ConntrackTap>(), () => Open(open), Random.Shared);
    }

    public PipelineSource Source { get; }

    public ConntrackTap Tap { get; }

    /// <summary>Questions that failed; each was answered "alive", or skipped.</summary>
    public long FailedQuestions { get; private set; }

    public async ValueTask DisposeAsync()
    {
        await Tap.DisposeAsync().ConfigureAwait(false);
        _client?.Dispose();
        _clashes?.Dispose();
    }

    /// <summary>The event socket has loaded connection tracking, so that there is a figure of clashes.</summary>
    private TapSocket Open(Func<TapSocket> open)
    {
        TapSocket socket = open();
        _clashes ??= OpenClashes();
        return socket;
    }

    /// <summary>Without it the count probe has no more to go by than what its own rounds leave.</summary>
    private ClashCount? OpenClashes()
    {
        try
        {
            return ClashCount.Open(_namespace);
        }
        catch (Exception e) when (e is NetlinkException or IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private ConntrackClient Client() => _client ??= NewClient();

    private ConntrackClient NewClient() => _namespace.Run(static () => new ConntrackClient());

    private void Dump(Action<FlowBatch> onRows, CancellationToken cancellationToken)
    {
        using ConntrackClient client = NewClient();
        client.Dump(FlowFamily.Unspecified, _pool, onRows, cancellationToken);
    }

    private long? Count()
    {
        try
        {
            return Client().Count();
        }
        catch (NetlinkException e)
        {
            OnFailure(e);
            return null;
        }
    }

    private bool IsAlive(in FlowTuple original, uint conntrackId)
    {
        _oneTuple[0] = original;
        _oneId[0] = conntrackId;
        AreAlive(_oneTuple, _oneId, _oneAnswer);
        return _oneAnswer[0];
    }

    /// <summary>GET finds an entry by either of its tuples: only one whose original tuple and id are those asked for counts.</summary>
    private void AreAlive(ReadOnlySpan<FlowTuple> originals, ReadOnlySpan<uint> ids, Span<bool> alive)
    {
        alive.Clear();
        Span<bool> same = stackalloc bool[originals.Length];
        FlowTuple[] asked = originals.ToArray();
        uint[] askedIds = ids.ToArray();
        bool[] answers = new bool[originals.Length];
        try
        {
            Client().GetMany(
                originals,
                same,
                (int i, in FlowEvent row) => answers[i] = row.Flow.Original == asked[i] && row.Flow.Id == askedIds[i]);
            answers.CopyTo(alive);
        }
        catch (NetlinkException e)
        {
            OnFailure(e);
            alive.Fill(true);
        }
    }

    private FlowExistence Exists(ReadOnlySpan<FlowTuple> tuples)
    {
        if (_found.Length < tuples.Length)
            _found = new bool[tuples.Length];
        Span<bool> found = _found.AsSpan(0, tuples.Length);
        found.Clear();
        try
        {
            Client().GetMany(tuples, found);
            return found.Contains(true) ? FlowExistence.Some : FlowExistence.None;
        }
        catch (NetlinkException e)
        {
            OnFailure(e);
            return FlowExistence.Unknown;
        }
    }

    private bool? HasInterface(uint index)
    {
        try
        {
            return Client().HasInterface(index);
        }
        catch (NetlinkException e)
        {
            OnFailure(e);
            return null;
        }
    }

    private KernelTimeouts? Timeouts()
    {
        try
        {
            return _namespace.Run(static () => KernelTimeouts.Read(Sysctl) with { Longest = LongestTimeouts.Read() });
        }
        catch (Exception e) when (e is NetlinkException or IOException or UnauthorizedAccessException)
        {
            _logger.QuestionFailed(e.Message);
            return null;
        }
    }

    private static long? Sysctl(string name)
    {
        string path = $"/proc/sys/net/netfilter/nf_conntrack_{name}";
        return File.Exists(path) ? long.Parse(File.ReadAllText(path).AsSpan().Trim(), NumberStyles.None, CultureInfo.InvariantCulture) : null;
    }

    /// <summary>Answers of a failed request may still come: a new socket forgets them.</summary>
    private void OnFailure(NetlinkException e)
    {
        FailedQuestions++;
        _logger.QuestionFailed(e.Message);
        _client?.Dispose();
        _client = null;
    }
}
