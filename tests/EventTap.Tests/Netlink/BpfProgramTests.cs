using ConntrackStream.EventTap.Filtering;
using ConntrackStream.EventTap.Model;
using ConntrackStream.EventTap.Netlink;

namespace ConntrackStream.EventTap.Tests.Netlink;

public class BpfProgramTests
{
    private const ushort LoadWord = 0x20, JumpEqual = 0x15, Jump = 0x05, Return = 0x06;

    [Fact]
    public void A_filter_of_281_addresses_is_as_long_as_the_kernel_takes()
    {
        IEnumerable<IpAddress> addresses = Enumerable.Range(0, 281).Select(static i => new IpAddress(0, (ulong)(0xC6120000 + i)));
        FlowFilter filter = new() { Addresses = [.. addresses.Select(static address => new IpPrefix(address, 32, FlowFamily.IPv4))] };
        Assert.True(KernelFilter.TryCompile(filter, out BpfInstruction[]? program, out _));
        Assert.InRange(program!.Length, 2500, BpfProgram.MaxLength);
    }

    [Fact]
    public void Near_jumps_are_one_instruction()
    {
        BpfProgram program = new();
        BpfLabel end = new();
        program.LoadWord(4);
        program.JumpIfEqual(7, end);
        program.JumpIfNotEqual(8, end);
        program.Return(0);
        program.Place(end);
        program.Return(1);
        Assert.Equal(
            [
                new(LoadWord, 0, 0, 4),
                new(JumpEqual, 2, 0, 7),
                new(JumpEqual, 0, 1, 8),
                new(Return, 0, 0, 0),
                new(Return, 0, 0, 1),
            ],
            program.Assemble());
    }

    [Theory]
    [InlineData(255, 1)]
    [InlineData(256, 2)]
    public void A_jump_over_more_than_255_instructions_takes_two(int between, int expected)
    {
        BpfProgram program = new();
        BpfLabel end = new();
        program.JumpIfEqual(7, end);
        for (int i = 0; i < between; i++)
            program.LoadWord(0);
        program.Place(end);
        program.Return(1);
        BpfInstruction[] assembled = program.Assemble();
        Assert.Equal(expected + between + 1, assembled.Length);
        if (expected == 1)
            Assert.Equal(new BpfInstruction(JumpEqual, 255, 0, 7), assembled[0]);
        else
            Assert.Equal([new BpfInstruction(JumpEqual, 0, 1, 7), new BpfInstruction(Jump, 0, 0, 256)], assembled[..2]);
    }

    [Fact]
    public void Jumps_that_others_push_out_of_reach_grow_too()
    {
        BpfProgram program = new();
        BpfLabel end = new();
        program.JumpIfNotEqual(1, end); // reaches only while the next one is short
        program.JumpIfEqual(2, end);
        for (int i = 0; i < 254; i++)
            program.LoadWord(0);
        program.JumpIfEqual(3, end);
        program.Place(end);
        program.Return(1);
        BpfInstruction[] assembled = program.Assemble();
        Assert.Equal([new BpfInstruction(JumpEqual, 1, 0, 1), new BpfInstruction(Jump, 0, 0, 256)], assembled[..2]);
        Assert.Equal(259, assembled.Length);
    }

    [Fact]
    public void A_filter_too_large_for_the_kernel_says_so()
    {
        IpPrefix prefix = new(new IpAddress(1, 1), 128, FlowFamily.IPv6);
        Assert.True(KernelFilter.TryCompile(
            new FlowFilter { Addresses = [.. Enumerable.Repeat(prefix, 100)] }, out BpfInstruction[]? program, out _));
        Assert.InRange(program!.Length, 3000, BpfProgram.MaxLength);
        Assert.False(
            KernelFilter.TryCompile(new FlowFilter { Addresses = [.. Enumerable.Repeat(prefix, 200)] }, out program, out string? error));
        Assert.Null(program);
        Assert.Contains("instructions, of which the kernel takes 4096", error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_kernel_cannot_judge_makes_no_program()
    {
        Assert.True(KernelFilter.TryCompile(
            new FlowFilter { Nat = NatMatch.Any, Marks = [new MarkMatch(1)], States = TcpState.Close },
            out BpfInstruction[]? program,
            out _));
        Assert.Null(program);
    }
}
