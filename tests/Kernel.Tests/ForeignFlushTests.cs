using ConntrackStream.EventTap;
using ConntrackStream.EventTap.Model;
using ConntrackStream.Kernel.Tests.Kit;
using ConntrackStream.Pipeline;
using ConntrackStream.Pipeline.Asking;

namespace ConntrackStream.Kernel.Tests;

/// <summary>Another program flushes a large table, and holds ctnetlink's mutex for as long as that takes.</summary>
public sealed class ForeignFlushTests
{
    private const int Flows = 300_000;

    private readonly FlowBatchPool _pool = new();
    private int _turns; // posted calls that the loop has run
    private int _mostWithinAQuestion;
    private int _questions;

    [Fact]
    public async Task The_loop_turns_while_a_question_waits_for_the_mutex_and_nothing_is_lost()
    {
        using TableSize size = TableSize.AtLeast(Flows + 100_000);
        using KernelNamespace space = new();
        using Storm storm = new(space);
        await using ViewRig rig = new(space, receiveBuffer: 512 << 20, tamper: source => source.Kernel = Watched(source.Kernel!));
        await rig.StartAsync();
        storm.Make(Flows);
        await rig.EqualAsync(TimeSpan.FromMinutes(2));

        KernelProcess flush = space.Start("conntrack", "-F");
        for (uint n = 1; !flush.HasExited; n++)
        {
            int before = Volatile.Read(ref _questions);
            Doubt(rig.Source.Source, n); // the kernel is asked by GET
            while (Volatile.Read(ref _questions) == before)
            {
                await rig.Pipeline.RunOnLoopAsync(() => { });
                Interlocked.Increment(ref _turns);
            }
        }

        Assert.InRange(_mostWithinAQuestion, 10, int.MaxValue); // on the loop: 0, whatever the order
        Assert.Equal(0, rig.Counters.Lost);
        await rig.EqualAsync(TimeSpan.FromMinutes(2));
    }

    /// <summary>The kernel, with a count of what the loop does while it is being asked.</summary>
    private KernelTable Watched(KernelTable kernel) => kernel with
    {
        Answer = question =>
        {
            int before = Volatile.Read(ref _turns);
            kernel.Answer(question);
            _mostWithinAQuestion = Math.Max(_mostWithinAQuestion, Volatile.Read(ref _turns) - before);
            Interlocked.Increment(ref _questions);
        },
    };

    /// <summary>Tells of a flow that begins, ends, begins again, and of an end which may be either's.</summary>
    private void Doubt(PipelineSource source, uint n)
    {
        foreach (FlowEventType type in new[] { FlowEventType.New, FlowEventType.Destroy, FlowEventType.New, FlowEventType.Destroy })
        {
            FlowBatch batch = _pool.Rent();
            ref FlowEvent e = ref batch.Next();
            e = new FlowEvent
            {
                Type = type,
                Flow = Forged(n),
                Time = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() * 1_000_000,
            };
            batch.Commit();
            source.Write(new TapMessage(TapMessageKind.Events) { Batch = batch });
        }
    }

    private static Flow Forged(uint n)
    {
        FlowTuple original = new()
        {
            Family = FlowFamily.IPv4,
            Protocol = IpProtocol.Udp,
            Source = new IpAddress(0, 0x0A090001),
            Destination = new IpAddress(0, 0x0A0A0000 + n),
            SourcePort = 1,
            DestinationPort = 2,
        };
        FlowTuple reply =
            original with { Source = original.Destination, Destination = original.Source, SourcePort = 2, DestinationPort = 1 };
        return new Flow { Original = original, Reply = reply, Id = n, Present = FlowFields.BothTuples | FlowFields.Id };
    }
}
