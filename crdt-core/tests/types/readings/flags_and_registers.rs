use crdt_core::flag::{DisableWinsFlagDelta, EnableWinsFlagDelta};
use crdt_core::register::{LwwRegisterDelta, MultiValueRegisterDelta, RedactableRegisterDelta};
use crdt_core::{
    DisableWinsFlag, Dot, EnableWinsFlag, LwwRegister, MultiValueRegister, RedactableRegister,
    WriteError,
};

use super::{DELHI, MUMBAI};

#[test]
fn an_enable_wins_flag() -> Result<(), WriteError> {
    let mut flag = EnableWinsFlag::new();
    assert!(!flag.is_enabled() && flag.dots().is_empty());
    let off = format!("{flag:?}");
    let mut writer = flag.writer(MUMBAI);
    let delta = flag.enable(&mut writer)?;
    assert!(flag.is_enabled() && format!("{flag:?}") != off);
    assert_eq!(flag.dots(), [Dot::new(MUMBAI, 1)]);
    assert_eq!((flag.context().last_seq(MUMBAI), flag.store().dots().len()), (1, 1));
    assert_eq!(EnableWinsFlagDelta::from(&flag), delta);
    assert_eq!(EnableWinsFlagDelta::from(flag.clone()), delta);
    assert_eq!(flag.missing_from(&EnableWinsFlag::new().digest()), delta);
    assert!(!delta.is_empty() && flag.missing_from(&flag.digest()).is_empty());
    let _delta = flag.disable(&mut writer);
    assert!(!flag.is_enabled() && format!("{flag:?}") == off);
    Ok(())
}

#[test]
fn a_disable_wins_flag() -> Result<(), WriteError> {
    let mut flag = DisableWinsFlag::new();
    let off = format!("{flag:?}");
    let mut writer = flag.writer(MUMBAI);
    let delta = flag.enable(&mut writer)?;
    assert!(flag.is_enabled() && flag.store().is_enabled() && format!("{flag:?}") != off);
    assert!(flag.store().entries()[0].1.enables());
    assert_eq!(flag.context().last_seq(MUMBAI), 1);
    assert_eq!(DisableWinsFlagDelta::from(&flag), delta);
    assert_eq!(DisableWinsFlagDelta::from(flag.clone()), delta);
    assert_eq!(flag.missing_from(&DisableWinsFlag::new().digest()), delta);
    assert!(!delta.is_empty() && flag.missing_from(&flag.digest()).is_empty());

    let mut other = flag.clone();
    let mut there = other.writer(DELHI);
    let _delta = other.disable(&mut there)?;
    let _delta = flag.enable(&mut writer)?;
    assert_eq!(flag.conflicts().count(), 0);
    flag.join(&other);
    assert!(!flag.is_enabled() && format!("{flag:?}") == off);
    assert_eq!(flag.conflicts().collect::<Vec<_>>(), [Dot::new(MUMBAI, 2)]);
    assert!(flag.store().overruled().eq(flag.conflicts()));
    assert!(!flag.store().entries().iter().all(|(_, toggle)| toggle.enables()));
    Ok(())
}

#[test]
fn a_last_writer_wins_register() -> Result<(), WriteError> {
    let mut register = LwwRegister::new();
    assert_eq!(
        (register.get(), register.stamp(), register.written_by()),
        (None::<&&str>, None, None)
    );
    let mut writer = register.writer(MUMBAI);
    let delta = register.set("a", 5, &mut writer)?;
    assert_eq!(register.get(), Some(&"a"));
    assert_eq!((register.stamp(), register.written_by()), (Some(&5), Some(MUMBAI)));
    assert!(!delta.is_empty());
    // A stamp that is not greater has lost.
    assert!(register.set("b", 4, &mut writer)?.is_empty());
    assert_eq!(register.get(), Some(&"a"));

    assert_eq!(LwwRegisterDelta::from(&register), delta);
    assert_eq!(LwwRegisterDelta::from(register.clone()), delta);
    assert_eq!(LwwRegisterDelta::from(&delta), delta);
    let mut both = LwwRegisterDelta::default();
    assert!(both.is_empty() && both.join(&delta) && !both.join(&delta));
    assert_eq!(both, delta);
    assert!(!register.join(&both));
    Ok(())
}

/// A writer that is made anew goes on behind the one before, so that at equal stamps its writes win.
#[test]
fn a_last_writer_wins_register_is_written_again() {
    let (mut register, mut other) = (LwwRegister::new(), LwwRegister::new());
    let mut writer = register.writer(MUMBAI);
    other.join(register.set("once", 5_u64, &mut writer).expect("numbers are left"));
    let mut writer = register.writer(MUMBAI);
    other.join(register.set("again", 5, &mut writer).expect("numbers are left"));
    assert_eq!((register.get(), &other), (Some(&"again"), &register));
    // Of another's writes it knows nothing.
    let mut writer = register.writer(DELHI);
    other.join(register.set("elsewhere", 9, &mut writer).expect("numbers are left"));
    assert_eq!((register.get(), &other), (Some(&"elsewhere"), &register));
}

#[test]
fn a_multi_value_register() -> Result<(), WriteError> {
    let mut register = MultiValueRegister::new();
    assert_eq!((register.is_empty(), register.len()), (true, 0));
    assert!(register.single().is_none());
    let empty = format!("{register:?}");
    let mut writer = register.writer(MUMBAI);
    let delta = register.set("a", &mut writer)?;
    assert_eq!((register.single(), register.len(), register.is_empty()), (Some(&"a"), 1, false));
    assert_eq!(MultiValueRegisterDelta::from(&register), delta);
    assert_eq!(MultiValueRegisterDelta::from(register.clone()), delta);
    assert_eq!(register.missing_from(&MultiValueRegister::<&str>::new().digest()), delta);
    assert!(!delta.is_empty() && register.missing_from(&register.digest()).is_empty());

    let mut other = MultiValueRegister::new();
    let mut there = other.writer(DELHI);
    register.join(other.set("b", &mut there)?);
    assert_eq!((register.single(), register.len()), (None, 2));
    let siblings = [(Dot::new(MUMBAI, 1), "a"), (Dot::new(DELHI, 1), "b")];
    assert_eq!((register.siblings(), register.store().entries()), (&siblings[..], &siblings[..]));
    assert!(register.values().eq(["a", "b"].iter()) && register.values().len() == 2);
    assert!(format!("{register:?}").contains(r#""a", "b""#), "{register:?}");
    assert_eq!(register.context().last_seq(DELHI), 1);
    let _delta = register.clear(&mut writer);
    assert!(register.is_empty() && format!("{register:?}") == empty);
    Ok(())
}

#[test]
fn a_redactable_register() -> Result<(), WriteError> {
    let mut register = RedactableRegister::<&str, usize>::new();
    assert_eq!((register.is_empty(), register.len()), (true, 0));
    let empty = format!("{register:?}");
    let mut writer = register.writer(MUMBAI);
    let delta = register.set("abc", &mut writer)?;
    assert!(!register.is_empty() && register.len() == 1 && format!("{register:?}") != empty);
    assert!(register.held().eq([(Dot::new(MUMBAI, 1), &"abc")]));
    assert_eq!(RedactableRegisterDelta::from(&register), delta);
    assert_eq!(RedactableRegisterDelta::from(register.clone()), delta);
    assert_eq!(register.missing_from(&RedactableRegister::<&str, usize>::new().digest()), delta);
    assert!(!delta.is_empty() && register.missing_from(&register.digest()).is_empty());
    assert_eq!((register.context().last_seq(MUMBAI), register.store().entries().len()), (1, 1));

    let _delta = register.redact_all(|value| value.len(), &mut writer);
    assert_eq!((register.held().count(), register.len()), (0, 1));
    assert_eq!(register.payloads()[0].1.redacted(), Some(&3));
    assert_eq!(register.payloads()[0].1.held(), None);
    assert!(!register.digest().redacted().is_empty());
    let _delta = register.clear(&mut writer);
    assert!(register.is_empty());
    Ok(())
}
