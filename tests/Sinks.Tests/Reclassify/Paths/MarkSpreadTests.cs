using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using ConntrackStream.Sinks.Reclassify.Paths;

namespace ConntrackStream.Sinks.Tests.Reclassify.Paths;

public sealed class MarkSpreadTests
{
    private const int RandomMasks = 200;

    // Mask, number, mark: written down from a run of mwan3's own mwan3_id2mask under dash.
    public static TheoryData<uint, uint, uint> Recorded => new()
    {
        { 0x3f00u, 1u, 0x100u },
        { 0x3f00u, 2u, 0x200u },
        { 0x3f00u, 5u, 0x500u },
        { 0x3f00u, 59u, 0x3b00u },
        { 0x3f00u, 60u, 0x3c00u },
        { 0xff00u, 1u, 0x100u },
        { 0xff00u, 2u, 0x200u },
        { 0xff00u, 5u, 0x500u },
        { 0xff00u, 59u, 0x3b00u },
        { 0xff00u, 252u, 0xfc00u },
        { 0xff00ff00u, 1u, 0x100u },
        { 0xff00ff00u, 2u, 0x200u },
        { 0xff00ff00u, 5u, 0x500u },
        { 0xff00ff00u, 59u, 0x3b00u },
        { 0xff00ff00u, 65532u, 0xff00fc00u },
        { 0x80000001u, 1u, 0x1u },
        { 0x80000001u, 2u, 0x80000000u },
        { 0x80000001u, 5u, 0x1u },
        { 0x80000001u, 59u, 0x80000001u },
        { 0x80000001u, 0u, 0x0u },
        { 0x5a5a5a5au, 1u, 0x2u },
        { 0x5a5a5a5au, 2u, 0x8u },
        { 0x5a5a5a5au, 5u, 0x12u },
        { 0x5a5a5a5au, 59u, 0xa4au },
        { 0x5a5a5a5au, 65532u, 0x5a5a5a50u },
        { 0x1u, 1u, 0x1u },
        { 0x1u, 2u, 0x0u },
        { 0x1u, 5u, 0x1u },
        { 0x1u, 59u, 0x1u },
        { 0x3u, 1u, 0x1u },
        { 0x3u, 2u, 0x2u },
        { 0x3u, 5u, 0x1u },
        { 0x3u, 59u, 0x3u },
        { 0x3u, 0u, 0x0u },
        { 0x7u, 1u, 0x1u },
        { 0x7u, 2u, 0x2u },
        { 0x7u, 5u, 0x5u },
        { 0x7u, 59u, 0x3u },
        { 0x7u, 4u, 0x4u },
        { 0xffffffffu, 1u, 0x1u },
        { 0xffffffffu, 2u, 0x2u },
        { 0xffffffffu, 5u, 0x5u },
        { 0xffffffffu, 59u, 0x3bu },
        { 0xffffffffu, 4294967292u, 0xfffffffcu },
        { 0xaau, 1u, 0x2u },
        { 0xaau, 2u, 0x8u },
        { 0xaau, 5u, 0x22u },
        { 0xaau, 59u, 0x8au },
        { 0xaau, 12u, 0xa0u },
        { 0x00ff0000u, 1u, 0x10000u },
        { 0x00ff0000u, 2u, 0x20000u },
        { 0x00ff0000u, 5u, 0x50000u },
        { 0x00ff0000u, 59u, 0x3b0000u },
        { 0x00ff0000u, 252u, 0xfc0000u },
        { 0x10204080u, 1u, 0x80u },
        { 0x10204080u, 2u, 0x4000u },
        { 0x10204080u, 5u, 0x200080u },
        { 0x10204080u, 59u, 0x10004080u },
        { 0x10204080u, 12u, 0x10200000u },
        { 0x92010c41u, 1u, 0x1u },
        { 0x92010c41u, 2u, 0x40u },
        { 0x92010c41u, 5u, 0x401u },
        { 0x92010c41u, 59u, 0x2010841u },
        { 0x92010c41u, 252u, 0x92010c00u },
        { 0xc0000003u, 1u, 0x1u },
        { 0xc0000003u, 2u, 0x2u },
        { 0xc0000003u, 5u, 0x40000001u },
        { 0xc0000003u, 59u, 0x80000003u },
        { 0xc0000003u, 12u, 0xc0000000u },
        { 0xf0fu, 1u, 0x1u },
        { 0xf0fu, 2u, 0x2u },
        { 0xf0fu, 5u, 0x5u },
        { 0xf0fu, 59u, 0x30bu },
        { 0xf0fu, 252u, 0xf0cu },
    };

    // Mask, iface_max, MMX_DEFAULT, MMX_UNREACHABLE, MMX_BLACKHOLE: from a run of mwan3_init's arithmetic.
    public static TheoryData<uint, uint, uint, uint, uint> RecordedSpecial => new()
    {
        { 0x3f00u, 60u, 0x3f00u, 0x3e00u, 0x3d00u },
        { 0xff00u, 252u, 0xff00u, 0xfe00u, 0xfd00u },
        { 0xff00ff00u, 65532u, 0xff00ff00u, 0xff00fe00u, 0xff00fd00u },
        { 0x80000001u, 0u, 0x80000001u, 0x80000000u, 0x1u },
        { 0x5a5a5a5au, 65532u, 0x5a5a5a5au, 0x5a5a5a58u, 0x5a5a5a52u },
        { 0x3u, 0u, 0x3u, 0x2u, 0x1u },
        { 0x7u, 4u, 0x7u, 0x6u, 0x5u },
        { 0xffffffffu, 4294967292u, 0xffffffffu, 0xfffffffeu, 0xfffffffdu },
        { 0xaau, 12u, 0xaau, 0xa8u, 0xa2u },
        { 0x00ff0000u, 252u, 0xff0000u, 0xfe0000u, 0xfd0000u },
        { 0x10204080u, 12u, 0x10204080u, 0x10204000u, 0x10200080u },
        { 0x92010c41u, 252u, 0x92010c41u, 0x92010c40u, 0x92010c01u },
        { 0xc0000003u, 12u, 0xc0000003u, 0xc0000002u, 0xc0000001u },
        { 0xf0fu, 252u, 0xf0fu, 0xf0eu, 0xf0du },
    };

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Numbers_become_the_marks_that_mwan3_makes(uint mask, uint id, uint mark) => Assert.Equal(mark, MarkSpread.ToMark(id, mask));

    [Theory]
    [MemberData(nameof(RecordedSpecial))]
    public void The_three_highest_numbers_stand_for_no_interface(uint mask, uint largest, uint all, uint unreachable, uint blackhole)
    {
        Assert.Equal(largest, MarkSpread.LargestInterfaceId(mask));
        Assert.Equal(all, MarkSpread.ToMark(MarkSpread.DefaultId(mask), mask));
        Assert.Equal(mask, MarkSpread.ToMark(MarkSpread.DefaultId(mask), mask));
        Assert.Equal(unreachable, MarkSpread.ToMark(MarkSpread.DefaultId(mask) - 1, mask));
        Assert.Equal(blackhole, MarkSpread.ToMark(MarkSpread.DefaultId(mask) - 2, mask));
    }

    [Fact]
    public void A_mask_without_room_has_no_interfaces()
    {
        Assert.Equal(0u, MarkSpread.LargestInterfaceId(0));
        Assert.Equal(0u, MarkSpread.LargestInterfaceId(1));
    }

    [Fact]
    public void A_mark_lies_within_the_mask_and_has_as_many_bits_as_its_number()
    {
        Random random = new(20261121);
        for (int i = 0; i < 10_000; i++)
        {
            uint mask = RandomMask(random);
            uint id = (uint)random.NextInt64(MarkSpread.DefaultId(mask) + 1L);
            uint mark = MarkSpread.ToMark(id, mask);
            Assert.Equal(0u, mark & ~mask);
            Assert.Equal(BitOperations.PopCount(id), BitOperations.PopCount(mark));
        }
    }

    // The published scheme in shell arithmetic of our own: take the mask's bits one after another, double the number's weight at each.
    [Fact]
    public void The_shell_reckons_the_same_for_random_masks()
    {
        Random random = new(64);
        (uint Mask, uint Id)[] cases =
        [
            .. Enumerable.Range(0, RandomMasks).Select(_ => RandomMask(random))
                .Select(mask => (mask, (uint)random.NextInt64(MarkSpread.DefaultId(mask) + 1L))),
        ];
        string script = "while read mask id; do mark=0; weight=1; place=1; while [ $place -le 2147483648 ]; do"
            + " if [ $(( mask / place % 2 )) -eq 1 ]; then [ $(( id / weight % 2 )) -eq 1 ] && mark=$(( mark + place )); "
            + "weight=$(( weight * 2 )); fi;"
            + " place=$(( place * 2 )); done; echo $mark; done";
        string[] marks = Shell(
            script, string.Join('\n', cases.Select(c => string.Create(CultureInfo.InvariantCulture, $"{c.Mask} {c.Id}"))) + "\n");

        Assert.Equal(RandomMasks, marks.Length);
        Assert.Equal(cases.Select(c => MarkSpread.ToMark(c.Id, c.Mask).ToString(CultureInfo.InvariantCulture)).ToArray(), marks);
    }

    private static uint RandomMask(Random random) => random.Next(3) switch
    {
        0 => (uint)random.NextInt64(1, 1L << 32),
        1 => (uint)random.NextInt64(1L << 32) & (uint)random.NextInt64(1L << 32) | 1u << random.Next(32), // sparse
        _ => uint.MaxValue >> random.Next(31) << random.Next(8), // one run
    };

    private static string[] Shell(string script, string input)
    {
        using Process shell = Process.Start(
            new ProcessStartInfo("sh", ["-c", script])
            {
                UseShellExecute = false,
                RedirectStandardInput = true,
                RedirectStandardOutput = true,
            })!;
        shell.StandardInput.Write(input);
        shell.StandardInput.Close();
        string output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        Assert.Equal(0, shell.ExitCode);
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
