using System.Buffers.Binary;
using ConntrackStream.EventTap.Conntrack;
using ConntrackStream.Service.Output;

namespace ConntrackStream.Service.Tests.Output;

public sealed class CpuStatsTextTests
{
    [Fact]
    public void Prints_what_the_kernel_told_as_conntrack_does()
    {
        byte[] message =
        [
            0, 0, 0, 0, 0x04, 0x01, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, // nlmsghdr, its length below
            0, 0, 0, 12, // nfgenmsg: res_id is the CPU
            8, 0, 2, 0, 0, 0, 0, 3, // CTA_STATS_FOUND
            8, 0, 10, 0, 0, 0, 1, 0, // CTA_STATS_DROP
        ];
        BinaryPrimitives.WriteInt32LittleEndian(message, message.Length);
        Assert.True(ConntrackCpuStats.TryRead(message, out ConntrackCpuStats stats));
        Assert.Equal("cpu=12  \tfound=3 drop=256 ", CpuStatsText.Format(stats));
    }
}
