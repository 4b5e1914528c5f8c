//! Plain values and versions between JavaScript and the document.

use alloc::vec::Vec;

use crdt_core::VersionVector;
use crdt_core::codec::{Encode, Writer};
use crdt_document::{VALUE_DEPTH_MAX, Value, ValueMap};
use js_sys::{Array, BigInt, Number, Object, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use crate::error::Thrown;

/// A JavaScript value as a plain one. Numbers that are whole, safe and not -0 are integers.
pub(crate) fn value_from_js(value: &JsValue) -> Result<Value, Thrown> {
    nested_from_js(value, VALUE_DEPTH_MAX)
}

fn nested_from_js(value: &JsValue, depth_left: u32) -> Result<Value, Thrown> {
    if let Some(number) = value.as_f64() {
        return Ok(number_from_js(number));
    }
    if let Some(text) = value.as_string() {
        return Ok(Value::String(text));
    }
    if let Some(truth) = value.as_bool() {
        return Ok(Value::Bool(truth));
    }
    if value.is_null() {
        return Ok(Value::Null);
    }
    if value.is_bigint() {
        let int = i64::try_from(value.clone());
        return int.map(Value::Int).map_err(|_| unfit("a bigint of more than 64 bits"));
    }
    if let Some(bytes) = value.dyn_ref::<Uint8Array>() {
        return Ok(Value::Bytes(bytes.to_vec().into()));
    }
    if !value.is_object() {
        return Err(unfit("this is no plain value"));
    }
    let depth_left = depth_left.checked_sub(1).ok_or_else(|| unfit("it is nested too deep"))?;
    if let Some(items) = value.dyn_ref::<Array>() {
        let items: Result<Vec<_>, _> =
            items.iter().map(|item| nested_from_js(&item, depth_left)).collect();
        return Ok(Value::List(items?.into()));
    }
    let entries: Result<ValueMap, Thrown> = Object::entries(value.unchecked_ref())
        .iter()
        .map(|entry| {
            let entry: Array = entry.unchecked_into();
            let key = entry.get(0).as_string().ok_or_else(|| unfit("a key is no string"))?;
            Ok((key, nested_from_js(&entry.get(1), depth_left)?))
        })
        .collect();
    entries.map(Value::Map)
}

fn number_from_js(number: f64) -> Value {
    let is_minus_zero = number == 0.0 && number.is_sign_negative();
    // What is not whole or too great is another number as an integer.
    let int = number as i64;
    if int as f64 == number && number.abs() <= Number::MAX_SAFE_INTEGER && !is_minus_zero {
        Value::Int(int)
    } else {
        Value::Float(number)
    }
}

/// A plain value as JavaScript's. Integers that a number cannot hold exactly are bigints.
pub(crate) fn value_to_js(value: &Value) -> JsValue {
    match value {
        Value::Bool(truth) => (*truth).into(),
        Value::Int(int) if int.unsigned_abs() <= Number::MAX_SAFE_INTEGER as u64 => {
            (*int as f64).into()
        }
        Value::Int(int) => BigInt::from(*int).into(),
        Value::Float(float) => (*float).into(),
        Value::String(text) => text.as_str().into(),
        Value::Bytes(bytes) => Uint8Array::from(&**bytes).into(),
        Value::List(items) => items.iter().map(value_to_js).collect::<Array>().into(),
        Value::Map(map) => {
            let entries: Array = map
                .iter()
                .map(|(key, value)| Array::of2(&key.into(), &value_to_js(value)))
                .collect();
            // Not by assignment, which takes the key `__proto__` for something else.
            Object::from_entries(&entries).map_or(JsValue::NULL, Into::into)
        }
        // `Null`, and whatever a later version of the document may hold.
        _ => JsValue::NULL,
    }
}

/// A version as the opaque bytes that JavaScript keeps and gives back.
pub(crate) fn version_to_js(version: &VersionVector) -> Vec<u8> {
    let mut out = Writer::new();
    version.encode(&mut out);
    out.into_bytes()
}

fn unfit(message: &str) -> Thrown {
    Thrown::new("argument", message)
}
