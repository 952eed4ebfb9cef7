using System.Reactive.Subjects;
using System.Threading.Channels;
using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Pipeline.Asking;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Pipeline.LiveView;
using ConntrackStream.Pipeline.Loop;
using ConntrackStream.Pipeline.Stages;

namespace ConntrackStream.Pipeline.Tests.Kit;

/// <summary>A live view with its changes recorded as short texts, and a kernel whose answers the test sets.</summary>
internal sealed class ViewHarness
{
    private readonly Subject<FlowChangeBatch> _output = new();

    public ViewHarness()
    {
        _output.Subscribe(batch =>
        {
            foreach (ref readonly FlowChange change in batch.Span)
                Changes.Add(change);
        });
        Writer = new ChangeWriter(new FlowChangeBatchPool(), _output);
        Context = new ViewContext(Writer, new FlowIdMinter(0xABC), Ask) { Now = 1_000_000_000 };
        View = new FlowView(Context);
    }

    public ChangeWriter Writer { get; }

    public ViewContext Context { get; }

    public FlowView View { get; }

    /// <summary>What the kernel's table holds.</summary>
    public HashSet<FlowTuple> Alive { get; } = [];

    /// <summary>Questions are left unanswered until <see cref="Answer"/>.</summary>
    public bool HoldsAnswers { get; set; }

    /// <summary>Called between the steps of a settlement.</summary>
    public Action? WhileSettling { get; set; }

    /// <summary>Asked and not answered.</summary>
    public Queue<TableQuestion> Questions { get; } = new();

    public List<FlowChange> Changes { get; } = [];

    /// <summary>For a stage beside this view; there is no loop behind it, so timers do not run.</summary>
    public StageContext NewStageContext()
    {
        ChannelReader<TapMessage> messages = Channel.CreateBounded<TapMessage>(1).Reader;
        PipelineLoop loop = new(messages, new ThreadParker(), TimeProvider.System, static _ => { }, static () => { });
        StagePorts ports = new()
        {
            FlushChanges = Writer.Flush,
            RequestAudit = static () => { },
            FailedRounds = static () => 0,
            AuditInterval = TimeSpan.FromHours(1),
            HasFilter = false,
            Time = TimeProvider.System,
        };
        return new StageContext(View, loop, ports);
    }

    /// <summary>Changes since the last call, such as <c>Started/Event 1, Ended/Audit 1</c> (the number is the generation).</summary>
    public string Take()
    {
        Writer.Flush();
        string text = string.Join(", ", Changes.Select(c => $"{c.Kind}/{c.Origin} {c.Generation}"));
        Changes.Clear();
        return text;
    }

    public void Apply(FlowEventType type, in Flow flow, long time = 0)
    {
        View.Apply(BatchOf(type, flow, time));
        View.Step();
    }

    /// <summary>The kernel answers the next question, and what waits for that is done.</summary>
    public void Answer(bool fails = false)
    {
        TableQuestion question = Questions.Dequeue();
        for (int i = 0; i < question.Count; i++)
        {
            FlowEvent row = new() { Type = FlowEventType.Row, Flow = new Flow { Original = question.Tuples[i], Id = question.Ids[i] } };
            if (Alive.Contains(question.Tuples[i]))
                question.OnFound(i, row);
        }

        if (fails)
            question.Fail();
        question.MarkAnswered();
        View.Step();
    }

    private void Ask(TableQuestion question)
    {
        question.MarkAsked();
        Questions.Enqueue(question);
        if (!HoldsAnswers)
            Answer();
    }

    private FlowBatch BatchOf(FlowEventType type, in Flow flow, long time)
    {
        FlowBatch batch = new();
        ref FlowEvent slot = ref batch.Next();
        slot.Flow = flow;
        slot.Type = type;
        slot.Time = time != 0 ? time : Context.Now;
        batch.Commit();
        return batch;
    }

    public void New(in Flow flow, long time = 0) => Apply(FlowEventType.New, flow, time);

    public void Destroy(in Flow flow, long time = 0) => Apply(FlowEventType.Destroy, flow, time);

    public void Row(in Flow flow) => View.Merge(BatchOf(FlowEventType.Row, flow, time: 0), isWanted: null);

    /// <summary>Called when the kernel has denied rows, and the barrier behind that has not come back.</summary>
    public Action? BeforeEnding { get; set; }

    /// <summary>What the end of a round does: closing barrier, sweep, one more barrier and ends, synced.</summary>
    public RoundResult Settle(FlowOrigin origin = FlowOrigin.Dump)
    {
        RoundResult result = new();
        RoundSettlement settlement = View.Settle(origin, result);
        Finish(settlement);
        if (settlement.HasDenied)
        {
            BeforeEnding?.Invoke();
            settlement.StartEnding();
            Finish(settlement);
        }

        View.CloseRound();
        Context.Synced = true;
        return result;
    }

    public void Finish(RoundSettlement settlement)
    {
        while (settlement.Step() != LoopWorkState.Done)
            WhileSettling?.Invoke();
    }

    /// <summary>What a loss does to the view.</summary>
    public void Lose()
    {
        Context.LossEpoch++;
        Context.Synced = false;
    }

    public static Flow Udp(ushort port, uint id = 7) => new()
    {
        Original = Tuple(0x0A000001, 0x0A000002, port, 4433),
        Reply = Tuple(0x0A000002, 0x0A000001, 4433, port),
        Id = id,
        Present = FlowFields.BothTuples | FlowFields.Id | FlowFields.Status,
    };

    public static Flow Udp6(ushort port)
    {
        Flow flow = Udp(port);
        flow.Original = flow.Original with { Family = FlowFamily.IPv6, Source = new IpAddress(0x2001_0db8_0000_0000, port) };
        flow.Reply = flow.Reply with { Family = FlowFamily.IPv6, Destination = flow.Original.Source };
        return flow;
    }

    private static FlowTuple Tuple(uint source, uint destination, ushort sourcePort, ushort destinationPort) => new()
    {
        Family = FlowFamily.IPv4,
        Protocol = IpProtocol.Udp,
        Source = new IpAddress(0, source),
        Destination = new IpAddress(0, destination),
        SourcePort = sourcePort,
        DestinationPort = destinationPort,
    };
}
