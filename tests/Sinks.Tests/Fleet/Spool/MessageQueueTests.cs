using ConntrackStream.Sinks.Fleet.Spool;

namespace ConntrackStream.Sinks.Tests.Fleet.Spool;

public sealed class MessageQueueTests : IDisposable
{
    private const int MemoryFor = 3; // messages

    private readonly SpoolRig _rig = new();
    private ulong _next = 1;

    public void Dispose() => _rig.Dispose();

    private long MemoryLimit => MemoryFor * _rig.Frame(1, 1).Length;

    [Fact]
    public void More_than_the_memory_holds_comes_back_from_disk_in_order()
    {
        MessageQueue queue = new(_rig.Spool, MemoryLimit);
        Add(queue, 10);
        Assert.Equal(MemoryLimit, queue.MemoryBytes);
        List<ulong> taken = Take(queue, 5);
        Add(queue, 2);
        taken.AddRange(Take(queue, 100));
        Assert.Equal(Numbers(12), taken);
        Assert.Equal((0L, true), (queue.MemoryBytes, queue.IsEmpty));
        Add(queue, 2); // by way of the memory again
        Assert.Equal(2 * _rig.Frame(1, 1).Length, queue.MemoryBytes);
        Assert.Equal([13UL, 14], Take(queue, 100));
    }

    [Fact]
    public void A_disk_that_takes_nothing_leaves_the_memory_and_then_no_room()
    {
        MessageQueue queue = new(_rig.Spool, MemoryLimit);
        Add(queue, 1);
        _rig.CurrentDisk.FailsAfter = 0;
        Add(queue, 2);
        Assert.False(TryAdd(queue));
        Assert.Equal(2, queue.Unsaved);
        Assert.Equal(Numbers(3), Take(queue, 100));
        Assert.Equal(0, queue.Unsaved);
        Assert.True(TryAdd(queue));
    }

    [Fact]
    public void Behind_what_is_on_disk_only_nothing_goes_into_memory()
    {
        MessageQueue queue = new(_rig.Spool, MemoryLimit);
        Add(queue, 4); // the last one on disk only
        List<ulong> taken = Take(queue, 3); // so that the memory has room
        _rig.CurrentDisk.FailsAfter = 0;
        Assert.False(TryAdd(queue)); // it would overtake
        taken.AddRange(Take(queue, 100));
        Assert.Equal(Numbers(4), taken);
        Assert.True(TryAdd(queue));
    }

    [Fact]
    public void Without_a_spool_the_memory_is_all()
    {
        MessageQueue queue = new(spool: null, MemoryLimit);
        Add(queue, MemoryFor);
        Assert.False(TryAdd(queue));
        Assert.Equal(Numbers(MemoryFor), Take(queue, 100));
    }

    [Fact]
    public void What_an_earlier_run_has_left_comes_first()
    {
        Add(new MessageQueue(_rig.Spool, MemoryLimit), 2);
        MessageQueue queue = new(_rig.Reopen(), MemoryLimit);
        Add(queue, 2);
        Assert.Equal(Numbers(4), Take(queue, 100));
    }

    [Fact]
    public async Task A_reader_that_keeps_pace_with_the_writer_gets_each_message_once()
    {
        const int Count = 20_000;
        MessageQueue queue = new(_rig.Spool, MemoryLimit);
        Task writer = Task.Run(() =>
        {
            for (int number = 0; number < Count; number++)
                Assert.True(TryAdd(queue));
        }, TestContext.Current.CancellationToken);
        List<ulong> taken = [];
        while (taken.Count < Count)
        {
            List<ulong> some = Take(queue, 7);
            taken.AddRange(some);
            if (some.Count == 0)
                await queue.WaitAsync(TestContext.Current.CancellationToken);
        }

        await writer;
        Assert.Equal(Numbers(Count), taken);
        Assert.True(queue.IsEmpty);
    }

    [Fact]
    public async Task The_reader_is_woken_for_some_messages_or_by_an_announcement()
    {
        MessageQueue queue = new(_rig.Spool, MemoryLimit);
        Task wait = queue.WaitAsync(TestContext.Current.CancellationToken);
        Add(queue, 15);
        Assert.True(queue.HasUnannounced);
        Assert.False(wait.IsCompleted);
        Add(queue, 1);
        await wait;
        Assert.False(queue.HasUnannounced);
        wait = queue.WaitAsync(TestContext.Current.CancellationToken);
        Add(queue, 1);
        Assert.False(wait.IsCompleted);
        queue.Announce();
        await wait;
    }

    [Fact]
    public async Task The_reader_is_woken_when_there_is_no_room()
    {
        MessageQueue queue = new(spool: null, MemoryLimit);
        Add(queue, MemoryFor);
        Task wait = queue.WaitAsync(TestContext.Current.CancellationToken);
        Assert.False(wait.IsCompleted);
        Assert.False(TryAdd(queue));
        await wait;
    }

    private static IEnumerable<ulong> Numbers(int count) => Enumerable.Range(1, count).Select(static number => (ulong)number);

    private void Add(MessageQueue queue, int count)
    {
        for (int number = 0; number < count; number++)
            Assert.True(TryAdd(queue));
    }

    private bool TryAdd(MessageQueue queue)
    {
        bool isAdded = queue.TryAdd(_rig.Frame(_next, _next), _rig.Header(_next, _next));
        _next += isAdded ? 1UL : 0;
        return isAdded;
    }

    /// <summary>Takes and acknowledges.</summary>
    private static List<ulong> Take(MessageQueue queue, int most)
    {
        List<ulong> taken = [];
        while (taken.Count < most && queue.TryTake() is { } message)
        {
            taken.Add(message.Header.First);
            queue.Acknowledge(message);
        }

        return taken;
    }
}
