using ConntrackStream.Sinks.Reclassify.OpenWrt;
using ConntrackStream.Sinks.Tests.FlowLog;

namespace ConntrackStream.Sinks.Tests.Reclassify.OpenWrt;

public sealed class UciFileTests
{
    [Fact]
    public void Sections_have_options_and_lists()
    {
        UciFile file = Parse("""
            package demo

            config wheel 'front'   # a comment
            	option	size	'28 inch'
            	option size 29
            	list spoke 'a b'
            	list spoke c
            config 'wheel'
            	option on 'Yes'; option off no
            config seat "front"
            	option note 'it'\''s "fine"' # it's
            	option more "a \"b\" \\ c"
            	option empty ''
            	option hash 'a#b'
            	option lines 'one
            two'
            config wheel front
            	option colour red\ blue
            """);

        Assert.Equal(
            ["wheel front", "wheel cfg02269a", "seat front"], file.Sections.Select(section => $"{section.Type} {section.Name}").ToArray());
        UciSection front = file.Find("wheel", "front")!;
        Assert.Equal(3, front.Line);
        Assert.Equal("29", front.Get("size"));
        Assert.Equal("red blue", front.Get("colour"));
        Assert.Equal(["a", "b", "c"], front.GetList("spoke").ToArray());
        Assert.Empty(front.GetList("absent"));
        UciSection seat = file.Find("seat", "front")!;
        Assert.Equal("it's \"fine\"", seat.Get("note"));
        Assert.Equal("a \"b\" \\ c", seat.Get("more"));
        Assert.Null(seat.Get("empty"));
        Assert.Equal("a#b", seat.Get("hash"));
        Assert.Equal("one\ntwo", seat.Get("lines"));
        UciSection second = file.OfType("wheel").Last();
        Assert.False(second.GetBool("off", true));
        Assert.True(second.GetBool("on", true)); // "Yes" is neither, so the default
        Assert.False(second.GetBool("on", false));
    }

    // The names every OpenWrt has: dhcp.cfg01411c (its first section, a dnsmasq) and network.cfg030f15 (its third, a device).
    [Theory]
    [InlineData("dnsmasq", 1, "cfg01411c")]
    [InlineData("device", 3, "cfg030f15")]
    [InlineData("policy", 3, "cfg036ff5")]
    public void Unnamed_sections_get_the_names_that_libuci_makes(string type, int place, string name)
    {
        UciFile file = Parse(
            string.Concat(Enumerable.Range(1, place - 1).Select(i => $"config other 'x{i}'\n")) + $"config {type}\noption a b\n");
        Assert.Equal(name, file.Sections[^1].Name);
    }

    [Theory]
    [InlineData("option a b\n", "line 1: 'a' belongs to no section")]
    [InlineData("config a\n\noption b\n", "line 3: 'option' is not understood")]
    [InlineData("config a\noption b 'c\nd\n", "line 2: a ' is never closed")]
    [InlineData("config a\noption b c d\n", "line 2: 'option' is not understood")]
    [InlineData("{\"a\": 1}\n", "line 1: '{a:' is not understood")]
    public void A_wrong_line_is_named(string text, string expected)
    {
        Assert.False(UciFile.TryParse(text, out _, out string? problem));
        Assert.StartsWith(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Whatever_the_text_is_reading_ends()
    {
        Random random = new(7);
        const string Alphabet = "config option list 'a' \"b\" \\ # ; \n\t";
        int read = 0;
        for (int i = 0; i < 20_000; i++)
        {
            string text = string.Concat(Enumerable.Range(0, random.Next(60)).Select(_ => Alphabet[random.Next(Alphabet.Length)]));
            bool isRead = UciFile.TryParse(text, out UciFile? file, out string? problem);
            Assert.Equal(isRead, file is not null);
            Assert.Equal(isRead, problem is null);
            read += isRead ? 1 : 0;
        }

        Assert.InRange(read, 100, 19_900);
    }

    [Fact]
    public void A_file_of_others_or_too_large_is_refused()
    {
        using TemporaryDirectory directory = new();
        string path = directory.File("mwan3");
        File.WriteAllText(path, "config a\nnonsense\n");
        Assert.False(UciFile.TryRead(path, out _, out string? problem));
        Assert.StartsWith($"{path} line 2: 'nonsense'", problem, StringComparison.Ordinal);

        File.WriteAllText(path, "config a\n" + new string('#', 5 << 20));
        Assert.False(UciFile.TryRead(path, out _, out problem));
        Assert.Contains("is larger than 4 MiB", problem, StringComparison.Ordinal);

        File.WriteAllText(path, "config a\n");
        Assert.True(UciFile.TryRead(path, out _, out _));
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.OtherWrite);
        Assert.False(UciFile.TryRead(path, out _, out problem));
        Assert.Contains("by everybody", problem, StringComparison.Ordinal);
    }

    private static UciFile Parse(string text)
    {
        Assert.True(UciFile.TryParse(text, out UciFile? file, out string? problem), problem);
        return file;
    }
}
