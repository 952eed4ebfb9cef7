using System.Runtime.InteropServices;

namespace ConntrackStream.EventTap.Netlink;

/// <summary>One classic BPF instruction.</summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct BpfInstruction(ushort Code, byte IfTrue, byte IfFalse, uint K); // struct sock_filter

/// <summary>A place to jump to, set once.</summary>
internal sealed class BpfLabel
{
    internal int Position { get; set; } = -1;
}

/// <summary>
/// Assembles a classic BPF program (linux/bpf_common.h) with forward jumps. A conditional jump reaches 255 instructions; one that goes
/// further becomes a jump over an unconditional one.
/// </summary>
internal sealed class BpfProgram
{
    /// <summary>BPF_MAXINSNS.</summary>
    internal const int MaxLength = 4096;

    private const ushort LoadWordAbsolute = 0x20; // BPF_LD|BPF_W|BPF_ABS
    private const ushort LoadHalfAbsolute = 0x28; // BPF_LD|BPF_H|BPF_ABS
    private const ushort LoadByteAbsolute = 0x30; // BPF_LD|BPF_B|BPF_ABS
    private const ushort LoadWordIndirect = 0x40; // BPF_LD|BPF_W|BPF_IND
    private const ushort LoadHalfIndirect = 0x48; // BPF_LD|BPF_H|BPF_IND
    private const ushort LoadByteIndirect = 0x50; // BPF_LD|BPF_B|BPF_IND
    private const ushort LoadImmediate = 0x00; // BPF_LD|BPF_IMM
    private const ushort LoadMemory = 0x60; // BPF_LD|BPF_MEM
    private const ushort LoadXImmediate = 0x01; // BPF_LDX|BPF_IMM
    private const ushort StoreA = 0x02; // BPF_ST
    private const ushort And = 0x54; // BPF_ALU|BPF_AND|BPF_K
    private const ushort JumpAlways = 0x05; // BPF_JMP|BPF_JA
    private const ushort JumpEqual = 0x15; // BPF_JMP|BPF_JEQ|BPF_K
    private const ushort JumpGreater = 0x25; // BPF_JMP|BPF_JGT|BPF_K
    private const ushort ReturnConstant = 0x06; // BPF_RET|BPF_K
    private const ushort MoveAToX = 0x07; // BPF_MISC|BPF_TAX

    private const uint AncillaryAttribute = unchecked((uint)(-0x1000 + 12)); // SKF_AD_OFF + SKF_AD_NLATTR
    private const uint AncillaryNested = unchecked((uint)(-0x1000 + 16)); // SKF_AD_OFF + SKF_AD_NLATTR_NEST

    private readonly List<Step> _steps = [];

    private readonly record struct Step(ushort Code, uint K, BpfLabel? Target, bool WhenTrue)
    {
        internal bool IsConditional => Code is JumpEqual or JumpGreater;
    }

    internal void LoadWord(uint offset) => Add(LoadWordAbsolute, offset);

    internal void LoadHalf(uint offset) => Add(LoadHalfAbsolute, offset);

    internal void LoadByte(uint offset) => Add(LoadByteAbsolute, offset);

    internal void LoadWordAtX(uint offset) => Add(LoadWordIndirect, offset);

    internal void LoadHalfAtX(uint offset) => Add(LoadHalfIndirect, offset);

    internal void LoadByteAtX(uint offset) => Add(LoadByteIndirect, offset);

    internal void LoadSlot(uint slot) => Add(LoadMemory, slot);

    internal void StoreSlot(uint slot) => Add(StoreA, slot);

    internal void AndWith(uint mask) => Add(And, mask);

    internal void CopyAToX() => Add(MoveAToX, 0);

    /// <summary>A = offset of the first attribute of a type at or after offset <paramref name="from"/>, 0 if there is none.</summary>
    internal void FindAttribute(uint from, uint type)
    {
        Add(LoadImmediate, from);
        Add(LoadXImmediate, type);
        Add(LoadWordAbsolute, AncillaryAttribute);
    }

    /// <summary>A = offset of an attribute of a type inside the one at offset A, 0 if there is none.</summary>
    internal void FindNested(uint type)
    {
        Add(LoadXImmediate, type);
        Add(LoadWordAbsolute, AncillaryNested);
    }

    internal void JumpIfEqual(uint value, BpfLabel target) => _steps.Add(new Step(JumpEqual, value, target, WhenTrue: true));

    internal void JumpIfNotEqual(uint value, BpfLabel target) => _steps.Add(new Step(JumpEqual, value, target, WhenTrue: false));

    internal void JumpIfAtMost(uint value, BpfLabel target) => _steps.Add(new Step(JumpGreater, value, target, WhenTrue: false));

    internal void Jump(BpfLabel target) => _steps.Add(new Step(JumpAlways, 0, target, WhenTrue: false));

    internal void Return(uint value) => Add(ReturnConstant, value);

    /// <summary>Puts a label at the next instruction.</summary>
    internal void Place(BpfLabel label) => label.Position = _steps.Count;

    /// <summary>The finished program, of any length: the caller compares it with <see cref="MaxLength"/>.</summary>
    internal BpfInstruction[] Assemble()
    {
        bool[] isFar = new bool[_steps.Count];
        int[] addresses = new int[_steps.Count + 1];
        do
            Lay(addresses, isFar);
        while (MarkFar(addresses, isFar));

        BpfInstruction[] program = new BpfInstruction[addresses[^1]];
        for (int i = 0; i < _steps.Count; i++)
            Encode(program, addresses, i, isFar[i]);
        return program;
    }

    private void Add(ushort code, uint k) => _steps.Add(new Step(code, k, Target: null, WhenTrue: false));

    private void Lay(int[] addresses, bool[] isFar)
    {
        for (int i = 0; i < _steps.Count; i++)
            addresses[i + 1] = addresses[i] + (isFar[i] ? 2 : 1);
    }

    // Far jumps lengthen the program, which can put others out of reach; none ever becomes near again, so this ends.
    private bool MarkFar(int[] addresses, bool[] isFar)
    {
        bool changed = false;
        for (int i = 0; i < _steps.Count; i++)
        {
            if (_steps[i] is not { IsConditional: true, Target: { } target }
                || isFar[i]
                || addresses[target.Position] - addresses[i] - 1 <= byte.MaxValue)
                continue;
            isFar[i] = changed = true;
        }

        return changed;
    }

    private void Encode(BpfInstruction[] program, int[] addresses, int index, bool isFar)
    {
        Step step = _steps[index];
        int at = addresses[index];
        int distance = step.Target is null ? 0 : addresses[step.Target.Position] - at - 1;
        if (!step.IsConditional)
        {
            program[at] = new BpfInstruction(step.Code, 0, 0, step.Target is null ? step.K : (uint)distance);
            return;
        }

        byte skip = isFar ? (byte)1 : (byte)0;
        byte jump = isFar ? (byte)0 : (byte)distance;
        program[at] = step.WhenTrue
            ? new BpfInstruction(step.Code, jump, skip, step.K)
            : new BpfInstruction(step.Code, skip, jump, step.K);
        if (isFar)
            program[at + 1] = new BpfInstruction(JumpAlways, 0, 0, (uint)(distance - 1));
    }
}
