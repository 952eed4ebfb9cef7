using System.Text;
using ConntrackStream.EventTap.Conntrack;

namespace ConntrackStream.EventTap.Tests.Conntrack;

public class NameCacheTests
{
    [Fact]
    public void A_repeated_name_is_the_same_object_and_allocates_nothing()
    {
        NameCache names = new();
        string first = names.Get("ftp"u8);
        long before = GC.GetAllocatedBytesForCurrentThread();
        string second = names.Get("ftp"u8);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal("ftp", first);
        Assert.Same(first, second);
    }

    [Fact]
    public void Names_that_share_a_place_are_not_mixed_up()
    {
        NameCache names = new();
        for (int i = 0; i < 5000; i++)
        {
            string name = $"helper-{i % 500}";
            Assert.Equal(name, names.Get(Encoding.UTF8.GetBytes(name)));
        }
    }

    [Fact]
    public void Long_and_ill_encoded_names_are_read_too()
    {
        NameCache names = new();
        Assert.Equal(new string('x', 4000), names.Get(Encoding.UTF8.GetBytes(new string('x', 4000))));
        Assert.Equal("\uFFFD", names.Get([0xff]));
        Assert.Equal("", names.Get([]));
    }
}
