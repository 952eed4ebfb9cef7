using ConntrackStream.Service.Hosting;

namespace ConntrackStream.Service.Tests.Hosting;

public sealed class StartupMemoryTests
{
    private const string Program = "/opt/conntrack stream";

    [Fact]
    public void The_programs_code_is_found() =>
        Assert.Equal(
            ((nint)0x78a00000, (nuint)0xc34000),
            StartupMemory.CodeOf(
                Program, "78a00000-79634000 r-xp 00b20000 fe:00 8888619                            /opt/conntrack stream"));

    [Theory]
    [InlineData("555f78a00000-555f79634000 r--p 00b20000 fe:00 8888619                    /opt/conntrack stream")]
    [InlineData("555f78a00000-555f79634000 rw-p 00b20000 fe:00 8888619                    /opt/conntrack stream")]
    [InlineData("555f78a00000-555f79634000 r-xp 00b20000 fe:00 8888619                    /usr/lib/x86_64-linux-gnu/libc.so.6")]
    [InlineData("7fff0c1f5000-7fff0c1f7000 r-xp 00000000 00:00 0                          [vdso]")]
    [InlineData("7fe523000000-7fe523081000 r-xp 00000000 00:00 0 ")]
    [InlineData("")]
    public void Nothing_else_is(string line) => Assert.Null(StartupMemory.CodeOf(Program, line));
}
