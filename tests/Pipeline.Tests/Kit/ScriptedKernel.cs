using System.Collections.Concurrent;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;

namespace ConntrackStream.Pipeline.Tests.Kit;

/// <summary>A pipeline over a kernel that the test plays: a table, events, losses and failures, in virtual time.</summary>
internal sealed class ScriptedKernel : IAsyncDisposable
{
    /// <summary>Lower bound of every loss, ns since the Unix epoch.</summary>
    public const long LossFrom = 100;

    private readonly RecordingSink _sink = new();
    private readonly FlowBatchPool _pool = new();
    private int _answers;
    private bool _existsFails;

    public ScriptedKernel(PipelineOptions? options = null, IFlowSink? other = null)
    {
        Source = new PipelineSource
        {
            Kernel = new KernelTable
            {
                Count = () => CountAnswer ?? Table.Count,
                Clashes = () => Clashes,
                LeaveNamespace = () => NamespacesLeft++,
                Answer = Answer,
                Dump = Dump,
            },
            RequestBarrier = Barrier,
        };
        Pipeline = new FlowPipeline(
            Source,
            other is null ? [_sink] : [_sink, other],
            options ?? new PipelineOptions { AuditJitter = 0 },
            Time,
            new Microsoft.Extensions.Logging.Abstractions.NullLogger<FlowPipeline>());
    }

    public VirtualTime Time { get; } = new();

    public PipelineSource Source { get; }

    public FlowPipeline Pipeline { get; }

    /// <summary>The kernel's table, read by dumps and questions on threads of their own.</summary>
    public ConcurrentDictionary<FlowTuple, Flow> Table { get; } = new();

    public bool BarriersLost { get; set; }

    /// <summary>Called on the loop before a barrier is sent: what waits on the event socket comes first.</summary>
    public Action? BeforeBarrier { get; set; }

    public long? CountAnswer { get; set; }

    public long Clashes { get; set; }

    /// <summary>GETs fail.</summary>
    public bool ExistsFails
    {
        get => Volatile.Read(ref _existsFails);
        set => Volatile.Write(ref _existsFails, value);
    }

    /// <summary>Called on the asker's thread before each answer: another program's request may hold it up.</summary>
    public Action? BeforeAnswer { get; set; }

    /// <summary>Questions answered.</summary>
    public int Answers => Volatile.Read(ref _answers);

    /// <summary>The sink takes nothing until this is done.</summary>
    public Task SinkGate
    {
        set => _sink.Gate = value;
    }

    /// <summary>Dumps that fail before one succeeds.</summary>
    public int DumpFailures { get; set; }

    /// <summary>All dumps fail.</summary>
    public volatile bool DumpsFail;

    /// <summary>Called on the dump's thread before its rows are handed on.</summary>
    public Action? OnDump { get; set; }

    public int Dumps { get; private set; }

    public async Task StartAsync()
    {
        await Pipeline.StartAsync(TestContext.Current.CancellationToken);
        Say(TapMessageKind.Connected);
    }

    public int NamespacesLeft { get; private set; }

    public void Say(TapMessageKind kind, long lost = 0, TapBreak why = TapBreak.Failed)
    {
        TapMessage message = new(kind) { Lost = lost, From = LossFrom, To = 200, Error = new IOException("scripted"), Break = why };
        Assert.True(Source.Writer.TryWrite(message));
    }

    /// <param name="portId">Of the program whose request caused it.</param>
    public void Event(FlowEventType type, in Flow flow, uint portId = 0)
    {
        FlowBatch batch = _pool.Rent();
        ref FlowEvent e = ref batch.Next();
        e.Type = type;
        e.Flow = flow;
        e.PortId = portId;
        e.Time = 1000;
        batch.Commit();
        Assert.True(Source.Writer.TryWrite(new TapMessage(TapMessageKind.Events) { Batch = batch }));
    }

    /// <summary>The next change that reaches the sink, such as <c>Started/Dump</c> or <c>Gap Overrun 5 recovered 1</c>.</summary>
    public async Task<string> NextAsync()
    {
        Task<string> next = _sink.Seen.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask();
        for (int i = 0; i < 150 && await Task.WhenAny(next, Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System)) != next; i++)
            Time.Advance(TimeSpan.FromMilliseconds(50)); // where the sink was seen lagging, changes wait so long for a fuller batch
        return await next.WaitAsync(TimeSpan.Zero);
    }

    /// <summary>The same, with <see cref="FlowChangeBatch.UnreportedLossFrom"/> of its batch.</summary>
    public async Task<(string Change, long LossFrom)> NextWithLossAsync()
    {
        string change = await NextAsync();
        Assert.True(_sink.Losses.TryDequeue(out long from));
        return (change, from);
    }

    /// <summary>Some whole turns of the loop: what was said is handed on, and what is due is settled.</summary>
    public async Task SettleAsync()
    {
        long turns = Pipeline.Status.Turns;
        await Eventually.TrueAsync(() =>
        {
            _ = Pipeline.RunOnLoopAsync(static () => { }); // a reason to turn
            return Pipeline.Status.Turns >= turns + 8;
        });
    }

    /// <summary>Waits for what needs the pauses of a round: time goes on meanwhile.</summary>
    public Task UntilAsync(Func<bool> condition) => Eventually.TrueAsync(() =>
    {
        bool isSo = condition();
        if (!isSo)
            Time.Advance(TimeSpan.FromMilliseconds(1));
        return isSo;
    });

    public async ValueTask DisposeAsync() => await Pipeline.DisposeAsync();

    private bool Barrier(long token)
    {
        BeforeBarrier?.Invoke();
        return !BarriersLost && Source.Writer.TryWrite(new TapMessage(TapMessageKind.Barrier) { Token = token });
    }

    private void Answer(TableQuestion question)
    {
        BeforeAnswer?.Invoke();
        for (int i = 0; i < question.Count; i++)
        {
            foreach (Flow flow in Table.Values)
            {
                if (flow.Original == question.Tuples[i] || flow.Reply == question.Tuples[i])
                    question.OnFound(i, new FlowEvent { Type = FlowEventType.Row, Flow = flow });
            }
        }

        if (ExistsFails)
            question.Fail();
        Interlocked.Increment(ref _answers);
    }

    private void Dump(Action<FlowBatch> onRows, CancellationToken cancellationToken)
    {
        Dumps++;
        OnDump?.Invoke();
        if (DumpsFail || DumpFailures-- > 0)
            throw new IOException("scripted");
        FlowBatch batch = _pool.Rent();
        foreach (Flow flow in Table.Values)
        {
            ref FlowEvent row = ref batch.Next();
            row.Type = FlowEventType.Row;
            row.Flow = flow;
            batch.Commit();
            if (!batch.IsFull)
                continue;
            onRows(batch);
            batch = _pool.Rent();
        }

        onRows(batch);
    }

    private sealed class RecordingSink : IFlowSink
    {
        public Task Gate { get; set; } = Task.CompletedTask;

        public ConcurrentQueue<long> Losses { get; } = new();

        public Channel<string> Seen { get; } = Channel.CreateBounded<string>(10_000);

        public string Name => "recording";

        public ValueTask StartAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public async ValueTask WriteAsync(FlowChangeBatch batch, CancellationToken cancellationToken)
        {
            await Gate;
            Record(batch);
        }

        private void Record(FlowChangeBatch batch)
        {
            foreach (ref readonly FlowChange change in batch.Span)
            {
                Losses.Enqueue(batch.UnreportedLossFrom);
                Seen.Writer.TryWrite(change.Gap is { } gap
                    ? $"Gap {gap.Reason} {gap.Lost?.ToString() ?? "?"} recovered {gap.Recovered}"
                    : $"{change.Kind}/{change.Origin}");
            }
        }

        public ValueTask FlushAsync(CancellationToken cancellationToken) => ValueTask.CompletedTask;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
