using System.Globalization;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Delete;

namespace ConntrackStream.Pipeline;

/// <summary>
/// The kernel as a source: a tap that feeds the pipeline, a client each for the pipeline's questions, for the interfaces of a map's keys and for
/// each dump, and the counts of entries and clashes, all in one network namespace. A question that fails is answered so that nothing ends by it: the entry counts
/// as alive.
/// </summary>
public sealed class KernelSource : IAsyncDisposable
{
    private readonly NetworkNamespace _namespace;
    private readonly FlowBatchPool _pool = new();
    private readonly ILogger _logger;
    private bool[] _found = new bool[64];
    private readonly OneClient _asker, _interfaces; // of the asker's and the scan's thread
    private volatile EntryCount? _count; // null until the event socket is open
    private long _failedQuestions;
    private volatile ClashCount? _clashes; // null until the event socket is open, and where the kernel has no such figure

    /// <summary>The kernel as the tap's options name it: namespace, filter, buffer.</summary>
    public KernelSource(TapOptions options, TimeProvider time, ILoggerFactory loggers)
        : this(options, time, loggers, capacity: 256, () => TapSocket.Open(options, time, loggers.CreateLogger<ConntrackTap>()))
    {
    }

    internal KernelSource(TapOptions options, TimeProvider time, ILoggerFactory loggers, int capacity, Func<TapSocket> open)
    {
        _namespace = options.Namespace;
        (_asker, _interfaces) = (new OneClient(_namespace), new OneClient(_namespace));
        _logger = loggers.CreateLogger<KernelSource>();
        Source = new PipelineSource(capacity)
        {
            Kernel = new KernelTable
            {
                Count = Count,
                Clashes = () => _clashes?.Read() ?? 0,
                Answer = Answer,
                HasInterface = HasInterface,
                Timeouts = Timeouts,
                Dump = Dump,
                LeaveNamespace = CloseClients,
            },
            RequestBarrier = token => Tap!.RequestBarrier(token),
        };
        Tap = new ConntrackTap(options, Source.Writer, _pool, time, loggers.CreateLogger<ConntrackTap>(), () => Open(open), Random.Shared);
    }

    public PipelineSource Source { get; }

    public ConntrackTap Tap { get; }

    /// <summary>Questions that failed; each was answered "alive", or skipped.</summary>
    public long FailedQuestions => Interlocked.Read(ref _failedQuestions);

    public async ValueTask DisposeAsync()
    {
        await Tap.DisposeAsync().ConfigureAwait(false);
        CloseClients();
    }

    /// <summary>The event socket has loaded connection tracking, so that there is a count. Never on the reader's thread.</summary>
    private TapSocket Open(Func<TapSocket> open)
    {
        TapSocket socket = open();
        EntryCount? before = _count;
        _count = OpenCount();
        before?.Dispose();
        ClashCount? clashesBefore = _clashes;
        _clashes = OpenClashes();
        clashesBefore?.Dispose();
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

    private EntryCount? OpenCount()
    {
        try
        {
            return EntryCount.Open(_namespace);
        }
        catch (Exception e) when (e is NetlinkException or IOException or UnauthorizedAccessException)
        {
            _logger.CountUnreadable(e.Message);
            return null;
        }
    }

    private void Dump(Action<FlowBatch> onRows, CancellationToken cancellationToken)
    {
        using ConntrackClient client = _namespace.Run(static () => new ConntrackClient());
        client.Dump(FlowFamily.Unspecified, _pool, onRows, cancellationToken);
    }

    private long? Count() => _count?.Read();

    private void Answer(TableQuestion question)
    {
        if (_found.Length < question.Count)
            _found = new bool[question.Count];
        try
        {
            _asker.Ask(client =>
            {
                client.GetMany(question.Tuples, _found, question.OnFound);
                return 0;
            });
        }
        catch (NetlinkException e)
        {
            question.Fail();
            OnFailure(e);
        }
    }

    private bool? HasInterface(uint index)
    {
        try
        {
            return _interfaces.Ask(client => client.HasInterface(index));
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

    /// <summary>Leaves nothing open in the namespace. Waits for the requests that are under way: not for the loop.</summary>
    private void CloseClients()
    {
        _asker.Close();
        _interfaces.Close();
        Interlocked.Exchange(ref _count, null)?.Dispose();
        Interlocked.Exchange(ref _clashes, null)?.Dispose();
    }

    private void OnFailure(NetlinkException e)
    {
        Interlocked.Increment(ref _failedQuestions);
        _logger.QuestionFailed(e.Message);
    }

    /// <summary>
    /// A client that one thread asks and another may close. Opened when it is needed; after a failure again, since answers of the failed request may
    /// still come.
    /// </summary>
    private sealed class OneClient(NetworkNamespace network)
    {
        private readonly Lock _lock = new();
        private ConntrackClient? _client;
        private int _generation; // of the namespace, when the client was opened

        internal T Ask<T>(Func<ConntrackClient, T> ask)
        {
            lock (_lock)
            {
                if (_generation != network.Generation)
                    Close(); // it belongs to the namespace that had the name before
                _generation = network.Generation;
                try
                {
                    return ask(_client ??= network.Run(static () => new ConntrackClient()));
                }
                catch (NetlinkException)
                {
                    Close();
                    throw;
                }
            }
        }

        internal void Close()
        {
            lock (_lock)
            {
                _client?.Dispose();
                _client = null;
            }
        }
    }
}
