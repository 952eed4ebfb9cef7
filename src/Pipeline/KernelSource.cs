using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;
using ConntrackStream.Pipeline.Asking;

namespace ConntrackStream.Pipeline;

/// <summary>
/// The kernel as a source: a tap that feeds the pipeline, a client for the pipeline's questions and one for each dump, and the counts of
/// entries and clashes, all in one network namespace. A question that fails is answered so that nothing
/// ends by it: the entry counts as alive.
/// </summary>
public sealed class KernelSource : IAsyncDisposable
{
    private readonly NetworkNamespace _namespace;
    private readonly FlowBatchPool _pool = new();
    private readonly ILogger _logger;
    private bool[] _found = new bool[64];
    private readonly NamespaceClient _asker;
    private volatile EntryCount? _count; // null until the event socket is open
    private volatile ClashCount? _clashes; // null until the event socket is open, and where the kernel has no such figure

    /// <summary>The kernel as the tap's options name it: namespace, filter, buffer.</summary>
    public KernelSource(TapOptions options, TimeProvider time, ILoggerFactory loggers)
        : this(options, time, loggers, capacity: 256, () => TapSocket.Open(options, time, loggers.CreateLogger<ConntrackTap>()))
    {
    }

    internal KernelSource(TapOptions options, TimeProvider time, ILoggerFactory loggers, int capacity, Func<TapSocket> open)
    {
        _namespace = options.Namespace;
        _asker = new NamespaceClient(_namespace);
        _logger = loggers.CreateLogger<KernelSource>();
        Source = new PipelineSource(capacity)
        {
            Kernel = new KernelTable
            {
                Count = Count,
                Clashes = () => _clashes?.Read() ?? 0,
                Answer = Answer,
                Dump = Dump,
                LeaveNamespace = CloseClients,
            },
            RequestBarrier = token => Tap!.RequestBarrier(token),
            SetUrgent = urgent => Tap!.IsUrgent = urgent,
        };
        Tap = new ConntrackTap(options, Source.Writer, _pool, time, loggers.CreateLogger<ConntrackTap>(), () => Open(open), Random.Shared);
    }

    public PipelineSource Source { get; }

    public ConntrackTap Tap { get; }

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
            _logger.QuestionFailed(e.Message);
        }
    }

    /// <summary>Leaves nothing open in the namespace. Waits for the requests that are under way: not for the loop.</summary>
    private void CloseClients()
    {
        _asker.Close();
        Interlocked.Exchange(ref _count, null)?.Dispose();
        Interlocked.Exchange(ref _clashes, null)?.Dispose();
    }
}
