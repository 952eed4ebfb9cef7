using System.Buffers.Binary;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class KernelCountsTests
{
    private const ushort InsertFailed = 9, Drop = 10, EarlyDrop = 11, ClashResolve = 14; // CTA_STATS_*

    [Fact]
    public void Sums_cpus_and_their_increases()
    {
        KernelCounts counts = new();
        counts.Add([Cpu(0, 1, 2, 3, 4), Cpu(1, 10, 20, 30, 40)]);
        Assert.Equal((11, 22, 33, 44), (counts.InsertFailed, counts.Drop, counts.EarlyDrop, counts.ClashResolve));
        counts.Add([Cpu(0, 2, 2, 3, 4), Cpu(1, 10, 25, 30, 40)]);
        Assert.Equal((12, 27, 33, 44), (counts.InsertFailed, counts.Drop, counts.EarlyDrop, counts.ClashResolve));
    }

    /// <summary>A sum of wrapped counters would fall, and a rate over it would show four billion drops.</summary>
    [Fact]
    public void Goes_on_where_the_kernels_counter_of_one_cpu_wraps()
    {
        KernelCounts counts = new();
        counts.Add([Cpu(0, 0, uint.MaxValue - 1, 0, 0), Cpu(1, 0, 7, 0, 0)]);
        counts.Add([Cpu(0, 0, 3, 0, 0), Cpu(1, 0, 7, 0, 0)]);
        Assert.Equal(uint.MaxValue - 1 + 5L + 7, counts.Drop);
    }

    private static ConntrackCpuStats Cpu(ushort number, uint insertFailed, uint drop, uint earlyDrop, uint clashResolve)
    {
        byte[] message = new byte[20 + (4 * 8)]; // nlmsghdr, nfgenmsg, four attributes
        BinaryPrimitives.WriteUInt16BigEndian(message.AsSpan(18), number); // res_id
        int at = 20;
        foreach ((ushort type, uint value) in new[]
            { (InsertFailed, insertFailed), (Drop, drop), (EarlyDrop, earlyDrop), (ClashResolve, clashResolve) })
        {
            BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(at), 8);
            BinaryPrimitives.WriteUInt16LittleEndian(message.AsSpan(at + 2), type);
            BinaryPrimitives.WriteUInt32BigEndian(message.AsSpan(at + 4), value);
            at += 8;
        }

        Assert.True(ConntrackCpuStats.TryRead(message, out ConntrackCpuStats stats));
        return stats;
    }
}
