using System.Text;
using ConntrackStream.Pipeline.Changes;
using ConntrackStream.Sinks.Text;

namespace ConntrackStream.Sinks.Tests.Text;

public sealed class FlowIdTextTests
{
    [Fact]
    public void It_is_the_ids_UUID_whatever_was_written_before()
    {
        FlowIdText text = new();
        byte[] buffer = new byte[36];
        ulong[] instances = [0, 1, 0xABC, ulong.MaxValue >> 4], sequences = [0, 1, 0xFFFF, 0x1_0000_0000_0000, ulong.MaxValue >> 2];
        foreach (ulong instance in instances.Concat(instances))
        {
            foreach (ulong sequence in sequences)
            {
                Utf8Writer writer = new(buffer);
                FlowId id = new(instance, sequence);
                text.Write(ref writer, id);
                Assert.Equal(id.ToGuid().ToString(), Encoding.ASCII.GetString(writer.Written));
            }
        }
    }
}
